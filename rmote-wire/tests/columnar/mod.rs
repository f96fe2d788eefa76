//! Writes values with every list as columns, which the crate itself only reads.

use rmote_wire::{Limits, Value};

/// Longer lists are in parts; the agent's own are longer.
const PART: usize = 4;

/// The payload of a value. Panics for one that is over a limit.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    match value {
        Value::List(values) => list(8, values, &mut out),
        Value::Tuple(values) => list(9, values, &mut out),
        Value::Set(values) => list(10, values, &mut out),
        Value::Map(pairs) => {
            out.push(11);
            size(pairs.len(), &mut out);
            for (key, value) in pairs {
                out.extend(encode(key));
                out.extend(encode(value));
            }
        }
        Value::Record(record) => {
            out.push(12);
            name(&record.name, &mut out);
            size(record.fields.len(), &mut out);
            for (field, value) in &record.fields {
                name(field, &mut out);
                out.extend(encode(value));
            }
        }
        Value::Enum(member) => {
            out.push(13);
            name(&member.name, &mut out);
            name(&member.member, &mut out);
            out.extend(encode(&member.value));
        }
        scalar => out.extend(plain(scalar)),
    }
    out
}

fn plain(value: &Value) -> Vec<u8> {
    let limits = Limits::default().with_depth(usize::MAX);
    value.encode(&limits).expect("within the limits").into()
}

fn list(kind: u8, values: &[Value], out: &mut Vec<u8>) {
    out.extend([14, kind]);
    size(values.len(), out);
    if values.len() <= PART {
        return column(&values.iter().collect::<Vec<_>>(), out);
    }
    out.push(17);
    for part in values.chunks(PART) {
        size(part.len(), out);
        column(&part.iter().collect::<Vec<_>>(), out);
    }
}

/// Writes a column; nothing for no items.
fn column(items: &[&Value], out: &mut Vec<u8>) {
    let Some(first) = items.first() else { return };
    if items.iter().any(|item| item.is_none()) {
        out.push(0);
        out.extend(items.iter().map(|item| u8::from(!item.is_none())));
        let others: Vec<_> = items
            .iter()
            .copied()
            .filter(|item| !item.is_none())
            .collect();
        return column(&others, out);
    }
    let written = match first {
        Value::Bool(_) => bools(items, out),
        Value::Int(_) => ints(items, out),
        Value::Float(_) => floats(items, out),
        Value::Text(_) => blobs(5, items, |item| item.as_str().map(str::as_bytes), out),
        Value::Bytes(_) => blobs(
            7,
            items,
            |item| item.as_bytes().map(|bytes| &bytes[..]),
            out,
        ),
        Value::List(_) | Value::Tuple(_) | Value::Set(_) => lists(items, out),
        Value::Map(_) => maps(items, out),
        Value::Record(_) => records(items, out),
        Value::Enum(_) => members(items, out),
        _ => None,
    };
    if written.is_none() {
        out.push(16);
        for item in items {
            out.extend(plain(item));
        }
    }
}

fn bools(items: &[&Value], out: &mut Vec<u8>) -> Option<()> {
    let bools: Option<Vec<_>> = items.iter().map(|item| item.as_bool()).collect();
    let bools = bools?;
    out.push(1);
    out.extend(bools.into_iter().map(u8::from));
    Some(())
}

fn ints(items: &[&Value], out: &mut Vec<u8>) -> Option<()> {
    let ints: Option<Vec<_>> = items
        .iter()
        .map(|item| match item {
            Value::Int(int) => Some(*int),
            _ => None,
        })
        .collect();
    let ints = ints?;
    let fits = |bits: u32| {
        let mut shifted = ints.iter().map(|int| int >> (bits - 1));
        shifted.all(|int| int == 0 || int == -1)
    };
    let width = [1, 2, 4, 8].into_iter().find(|width| fits(width * 8))?;
    out.extend([2, u8::try_from(width).ok()?]);
    for int in ints {
        out.extend(&int.to_le_bytes()[..width as usize]);
    }
    Some(())
}

fn floats(items: &[&Value], out: &mut Vec<u8>) -> Option<()> {
    let floats: Option<Vec<_>> = items.iter().map(|item| item.as_f64()).collect();
    let floats = floats?;
    out.push(4);
    out.extend(floats.into_iter().flat_map(f64::to_le_bytes));
    Some(())
}

fn blobs(
    kind: u8,
    items: &[&Value],
    bytes: impl Fn(&Value) -> Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Option<()> {
    let parts: Option<Vec<_>> = items.iter().map(|item| bytes(item)).collect();
    let parts = parts?;
    out.push(kind);
    lengths(parts.iter().map(|part| part.len()).collect(), out);
    out.extend(parts.concat());
    Some(())
}

fn lists(items: &[&Value], out: &mut Vec<u8>) -> Option<()> {
    let kind = |value: &Value| plain(value)[0];
    let first = kind(items[0]);
    if !items.iter().all(|item| kind(item) == first) {
        return None;
    }
    let rows: Option<Vec<_>> = items.iter().map(|item| item.as_slice()).collect();
    let rows = rows?;
    let width = rows[0].len();
    let even = first < 10 && (1..=items.len()).contains(&width);
    if even && rows.iter().all(|row| row.len() == width) {
        out.push(first + 6);
        size(width, out);
        for place in 0..width {
            column(&rows.iter().map(|row| &row[place]).collect::<Vec<_>>(), out);
        }
    } else {
        out.push(first);
        lengths(rows.iter().map(|row| row.len()).collect(), out);
        column(&rows.into_iter().flatten().collect::<Vec<_>>(), out);
    }
    Some(())
}

fn maps(items: &[&Value], out: &mut Vec<u8>) -> Option<()> {
    let keys = |value: &Value| match value {
        Value::Map(pairs) => pairs
            .iter()
            .map(|(key, _)| key.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>(),
        _ => None,
    };
    let names = keys(items[0]).filter(|names| !names.is_empty())?;
    if !items.iter().all(|item| keys(item).as_ref() == Some(&names)) {
        return None;
    }
    out.push(11);
    let place = |item: &'_ Value, place: usize| match item {
        Value::Map(pairs) => pairs[place].1.clone(),
        _ => unreachable!("the keys were compared"),
    };
    fields(&names, items, place, out);
    Some(())
}

fn records(items: &[&Value], out: &mut Vec<u8>) -> Option<()> {
    let shape = |value: &Value| match value {
        Value::Record(record) => {
            let names = record.fields.iter().map(|(name, _)| name.clone());
            Some((record.name.clone(), names.collect::<Vec<_>>()))
        }
        _ => None,
    };
    let (title, names) = shape(items[0]).filter(|(_, names)| !names.is_empty())?;
    let expected = Some((title.clone(), names.clone()));
    if !items.iter().all(|item| shape(item) == expected) {
        return None;
    }
    out.push(12);
    name(&title, out);
    let place = |item: &'_ Value, place: usize| match item {
        Value::Record(record) => record.fields[place].1.clone(),
        _ => unreachable!("the names were compared"),
    };
    fields(&names, items, place, out);
    Some(())
}

fn fields(
    names: &[String],
    items: &[&Value],
    value: impl Fn(&Value, usize) -> Value,
    out: &mut Vec<u8>,
) {
    size(names.len(), out);
    for (place, field) in names.iter().enumerate() {
        name(field, out);
        let values: Vec<_> = items.iter().map(|item| value(item, place)).collect();
        column(&values.iter().collect::<Vec<_>>(), out);
    }
}

fn members(items: &[&Value], out: &mut Vec<u8>) -> Option<()> {
    let members: Option<Vec<_>> = items
        .iter()
        .map(|item| match item {
            Value::Enum(member) => Some(member),
            _ => None,
        })
        .collect();
    let members = members?;
    if members.iter().any(|member| member.name != members[0].name) {
        return None;
    }
    out.push(13);
    name(&members[0].name, out);
    out.push(5);
    lengths(
        members.iter().map(|member| member.member.len()).collect(),
        out,
    );
    out.extend(members.iter().flat_map(|member| member.member.bytes()));
    column(
        &members
            .iter()
            .map(|member| &*member.value)
            .collect::<Vec<_>>(),
        out,
    );
    Some(())
}

fn lengths(lengths: Vec<usize>, out: &mut Vec<u8>) {
    let most = lengths.iter().copied().max().unwrap_or(0);
    let width = if most < 1 << 8 {
        1
    } else if most < 1 << 16 {
        2
    } else {
        4
    };
    out.push(width);
    for length in lengths {
        out.extend(&length.to_le_bytes()[..usize::from(width)]);
    }
}

fn name(name: &str, out: &mut Vec<u8>) {
    size(name.len(), out);
    out.extend(name.bytes());
}

fn size(mut size: usize, out: &mut Vec<u8>) {
    while size > 127 {
        out.push(size.to_le_bytes()[0] | 128);
        size >>= 7;
    }
    out.push(size.to_le_bytes()[0]);
}
