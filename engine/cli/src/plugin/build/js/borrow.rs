//! Gives back the borrowed request in time: the runtime of componentize-qjs 0.4.5 drops the handle only after the call, in its
//! post-return, where the canonical ABI lets nothing be called any more.
//!
//! The core function that is exported as the plugin's call is wrapped in one that calls it, drops the handle, which is
//! its third parameter, and returns what it returned. Whoever else drops such a handle calls a function that does nothing.

use wasmparser::{BinaryReaderError, ElementItems, ExternalKind, Operator, Parser, Payload, TypeRef};

use super::super::leb128;

/// The interface whose handles are dropped, and how.
const DROP: (&str, &str) = ("weir:plugin/attributes@1.0.0", "[resource-drop]bag");

const MODULE: u8 = 1;
const COMPONENT: u8 = 4;
const FUNCTIONS: u8 = 3;
const EXPORTS: u8 = 7;
const ELEMENTS: u8 = 9;
const CODE: u8 = 10;

/// The component with that core export wrapped, wherever inside it is; none when it has no such export, or malformed.
pub(super) fn given_back(component: &[u8], export: &str) -> Option<Vec<u8>> {
    let mut wrapped = false;
    let written = rewritten(component, &mut |id, content| {
        let changed = match id {
            MODULE => module(content, export).ok().flatten(),
            COMPONENT => given_back(content, export),
            _ => None,
        };
        wrapped |= changed.is_some();
        changed
    })?;
    wrapped.then_some(written)
}

/// What becomes of a section, by its id and content; none when it stays as it is.
type Change<'c> = &'c mut dyn FnMut(u8, &[u8]) -> Option<Vec<u8>>;

/// The module or component with some of its sections changed.
fn rewritten(bytes: &[u8], change: Change<'_>) -> Option<Vec<u8>> {
    let mut written = bytes.get(..8)?.to_vec();
    let mut rest = bytes.get(8..)?;
    while let Some((id, after)) = rest.split_first() {
        let (size, after) = number(after)?;
        let (content, after) = after.split_at_checked(size)?;
        rest = after;
        let changed = change(*id, content);
        let content = changed.as_deref().unwrap_or(content);
        written.push(*id);
        leb128(&mut written, content.len());
        written.extend_from_slice(content);
    }
    Some(written)
}

/// A number as WebAssembly writes it, and what comes after.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let end = bytes.iter().take(5).position(|byte| byte & 0x80 == 0)?;
    let (digits, rest) = bytes.split_at_checked(end + 1)?;
    let value = digits.iter().rev().fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f));
    Some((value, rest))
}

/// What of a module matters here.
#[derive(Default)]
struct Outline<'a> {
    imported: u32,
    drop: Option<u32>,
    drop_type: Option<u32>,
    types: Vec<u32>,
    exports: Vec<(&'a str, ExternalKind, u32)>,
}

/// The module with the export wrapped; none when it is not its.
fn module(bytes: &[u8], export: &str) -> Result<Option<Vec<u8>>, BinaryReaderError> {
    let outline = outline(bytes)?;
    let called = outline.exports.iter().find(|(name, ..)| *name == export).map(|(.., index)| *index);
    let (Some(called), Some(drop)) = (called, outline.drop) else { return Ok(None) };
    let Some(own) = called.checked_sub(outline.imported) else { return Ok(None) };
    let Some(ty) = outline.types.get(own as usize) else { return Ok(None) };
    let wrapper = outline.imported + outline.types.len() as u32;
    let Some(idle_type) = outline.drop_type else { return Ok(None) };
    let idle = wrapper + 1;
    // No locals; get 0, 1 and 2, call, get 2, drop, end.
    let mut body = vec![0, 0x20, 0, 0x20, 1, 0x20, 2, 0x10];
    leb128(&mut body, called as usize);
    body.extend([0x20, 2, 0x10]);
    leb128(&mut body, drop as usize);
    body.push(0x0b);
    let elements = pointed(bytes, drop, idle)?;
    let mut bodies = redirected(bytes, drop, idle)?;
    bodies.push(body);
    bodies.push(vec![0, 0x0b]);
    let mut code = Vec::new();
    leb128(&mut code, bodies.len());
    for body in bodies {
        leb128(&mut code, body.len());
        code.extend(body);
    }
    let mut functions = Vec::new();
    leb128(&mut functions, outline.types.len() + 2);
    for ty in outline.types.iter().chain([ty, &idle_type]) {
        leb128(&mut functions, *ty as usize);
    }
    Ok(rewritten(bytes, &mut |id, _| match id {
        FUNCTIONS => Some(functions.clone()),
        CODE => Some(code.clone()),
        ELEMENTS => elements.clone(),
        EXPORTS => Some(exports(&outline.exports, export, wrapper)),
        _ => None,
    }))
}

/// The tables' elements, in which pointers to one function are pointers to another; none without any.
fn pointed(bytes: &[u8], from: u32, to: u32) -> Result<Option<Vec<u8>>, BinaryReaderError> {
    for payload in Parser::new(0).parse_all(bytes) {
        let Payload::ElementSection(elements) = payload? else { continue };
        let range = elements.range();
        let (mut written, mut copied) = (Vec::new(), range.start);
        for element in elements {
            let ElementItems::Functions(functions) = element?.items else { continue };
            for function in functions.into_iter_with_offsets() {
                let (at, function) = function?;
                if function == from {
                    written.extend_from_slice(bytes.get(copied..at).unwrap_or_default());
                    leb128(&mut written, to as usize);
                    let digits = bytes.get(at..).unwrap_or_default().iter().take_while(|byte| **byte & 0x80 != 0);
                    copied = at + digits.count() + 1;
                }
            }
        }
        written.extend_from_slice(bytes.get(copied..range.end).unwrap_or_default());
        return Ok(Some(written));
    }
    Ok(None)
}

/// The bodies of all functions, in which calls of one function are calls of another.
fn redirected(bytes: &[u8], from: u32, to: u32) -> Result<Vec<Vec<u8>>, BinaryReaderError> {
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let Payload::CodeSectionEntry(body) = payload? else { continue };
        let range = body.range();
        let (mut written, mut copied) = (Vec::new(), range.start);
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let (operator, at) = operators.read_with_offset()?;
            if let Operator::Call { function_index } = operator
                && function_index == from
            {
                written.extend_from_slice(bytes.get(copied..at).unwrap_or_default());
                written.push(0x10);
                leb128(&mut written, to as usize);
                copied = operators.original_position();
            }
        }
        written.extend_from_slice(bytes.get(copied..range.end).unwrap_or_default());
        bodies.push(written);
    }
    Ok(bodies)
}

fn outline(bytes: &[u8]) -> Result<Outline<'_>, BinaryReaderError> {
    let mut outline = Outline::default();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    if let TypeRef::Func(ty) = import.ty {
                        if (import.module, import.name) == DROP {
                            (outline.drop, outline.drop_type) = (Some(outline.imported), Some(ty));
                        }
                        outline.imported += 1;
                    }
                }
            }
            Payload::FunctionSection(types) => outline.types = types.into_iter().collect::<Result<_, _>>()?,
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    outline.exports.push((export.name, export.kind, export.index));
                }
            }
            _ => {}
        }
    }
    Ok(outline)
}

/// The exports, with another function under that name.
fn exports(all: &[(&str, ExternalKind, u32)], export: &str, function: u32) -> Vec<u8> {
    let mut written = Vec::new();
    leb128(&mut written, all.len());
    for (name, kind, index) in all {
        leb128(&mut written, name.len());
        written.extend_from_slice(name.as_bytes());
        written.push(match kind {
            ExternalKind::Func | ExternalKind::FuncExact => 0,
            ExternalKind::Table => 1,
            ExternalKind::Memory => 2,
            ExternalKind::Global => 3,
            ExternalKind::Tag => 4,
        });
        leb128(&mut written, if *name == export { function } else { *index } as usize);
    }
    written
}
