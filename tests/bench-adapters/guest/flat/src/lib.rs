//! The calls that the contract is measured against: nothing, one flat buffer, every attribute, rows of values.

wit_bindgen::generate!({ path: "wit", world: "weir:bench/flat" });

struct Component;

impl Guest for Component {
    fn empty() {}

    fn check(values: Vec<u8>) -> Result<u32, String> {
        let mut rest = values.as_slice();
        let method = text(&mut rest).ok_or("no method")?;
        let host = text(&mut rest).ok_or("no host")?;
        let size = rest.first_chunk::<8>().map(|bytes| i64::from_le_bytes(*bytes)).ok_or("no size")?;
        Ok(u32::from(method == "GET" && host.len() > 3 && size > 0))
    }

    fn all(attributes: Vec<Attribute>) -> Result<u32, String> {
        let find = |name: &str| attributes.iter().find(|one| one.name == name).map(|one| &one.value);
        match (find("request.method"), find("request.host"), find("request.size")) {
            (Some(Value::Text(method)), Some(Value::Text(host)), Some(Value::Int(size))) => {
                Ok(u32::from(method == "GET" && host.len() > 3 && *size > 0))
            }
            _ => Err("another request".into()),
        }
    }

    fn rows(rows: Vec<Vec<Option<Value>>>) -> Result<u64, String> {
        let mut sum = 0;
        for row in rows {
            match row.as_slice() {
                [Some(Value::Text(method)), Some(Value::Int(code)), Some(Value::Int(size))] => {
                    sum += method.len() as u64 + *code as u64 + *size as u64;
                }
                _ => return Err("another row".into()),
            }
        }
        Ok(sum)
    }
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (text, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = after;
    std::str::from_utf8(text).ok()
}

export!(Component);
