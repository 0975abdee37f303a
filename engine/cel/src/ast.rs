//! The syntax tree: an arena of nodes, children before parents, every node with its span in the source.
//!
//! Macros stay nodes of their own, so that errors and explanations speak of what was written. An arena drops without
//! recursion, whatever its shape.

use std::{ops::Range, sync::Arc};

mod arena;
pub(crate) mod render;

pub(crate) use arena::Arena;

/// A range of bytes in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// Whether two names are the same. Those that tools make, `cel.iterVar(0, 1)`, may differ in their spaces.
    pub(crate) fn same_name(one: &str, other: &str) -> bool {
        one == other
            || one.starts_with("cel.")
                && one.chars().filter(|c| !c.is_whitespace()).eq(other.chars().filter(|c| !c.is_whitespace()))
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The place of a node in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(pub(crate) u32);

impl NodeId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Arc<str>),
    Bytes(Arc<[u8]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Not,
    Negate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Binary {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Binary {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

/// What a comprehension macro makes of its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    All,
    Exists,
    ExistsOne,
    /// `map` and `transformList`.
    Map,
    Filter,
    TransformMap,
    /// `transformMapEntry`: its body gives maps, whose entries are those of the result.
    TransformMapEntry,
    /// `sortBy`: its body gives the keys that the elements are sorted by.
    SortBy,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Element {
    pub(crate) value: NodeId,
    pub(crate) optional: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) key: NodeId,
    pub(crate) value: NodeId,
    pub(crate) optional: bool,
}

/// A field of a message literal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: Span,
    pub(crate) value: NodeId,
    pub(crate) optional: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Literal(Literal),
    Ident {
        name: Span,
        rooted: bool,
    },
    Select {
        operand: NodeId,
        field: Span,
        optional: bool,
    },
    Index {
        operand: NodeId,
        index: NodeId,
        optional: bool,
    },
    Call {
        function: Span,
        target: Option<NodeId>,
        args: Box<[NodeId]>,
    },
    List(Box<[Element]>),
    Map(Box<[Entry]>),
    Struct {
        /// A dotted name, which is not a node to evaluate.
        name: NodeId,
        fields: Box<[Field]>,
    },
    Unary {
        operator: Unary,
        operand: NodeId,
    },
    Binary {
        operator: Binary,
        left: NodeId,
        right: NodeId,
    },
    /// `&&` (all) or `||` of two or more terms.
    Logic {
        all: bool,
        terms: Box<[NodeId]>,
    },
    Conditional {
        test: NodeId,
        then: NodeId,
        other: NodeId,
    },
    /// `has(operand)`: the operand is a select.
    Has {
        operand: NodeId,
    },
    Fold(Box<FoldCall>),
    /// `cel.bind(name, value, body)`.
    Bind {
        name: Span,
        value: NodeId,
        body: NodeId,
    },
    /// `operand.optMap(name, body)` and `optFlatMap`.
    OptMap {
        operand: NodeId,
        name: Span,
        body: NodeId,
        flat: bool,
    },
    /// `cel.block([slots], body)`: each slot is evaluated once, when it is first read.
    Block {
        slots: Box<[NodeId]>,
        body: NodeId,
    },
    /// `cel.index(n)`: that slot of the block around it.
    Slot(u32),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct FoldCall {
    pub(crate) fold: Fold,
    pub(crate) range: NodeId,
    pub(crate) name: Span,
    pub(crate) second: Option<Span>,
    pub(crate) filter: Option<NodeId>,
    pub(crate) body: NodeId,
}

impl Kind {
    /// Calls `visit` with each child, in the order of the source.
    pub(crate) fn children(&self, mut visit: impl FnMut(NodeId)) {
        match self {
            Self::Literal(_) | Self::Ident { .. } | Self::Slot(_) => {}
            Self::Select { operand, .. } | Self::Has { operand } | Self::Unary { operand, .. } => visit(*operand),
            Self::Index { operand, index, .. } => [*operand, *index].into_iter().for_each(visit),
            Self::Call { target, args, .. } => target.iter().chain(args.iter()).copied().for_each(visit),
            Self::List(elements) => elements.iter().for_each(|element| visit(element.value)),
            Self::Map(entries) => entries.iter().for_each(|entry| {
                visit(entry.key);
                visit(entry.value);
            }),
            Self::Struct { fields, .. } => fields.iter().for_each(|field| visit(field.value)),
            Self::Binary { left, right, .. } => [*left, *right].into_iter().for_each(visit),
            Self::Logic { terms, .. } => terms.iter().copied().for_each(visit),
            Self::Conditional { test, then, other } => [*test, *then, *other].into_iter().for_each(visit),
            Self::Fold(call) => {
                visit(call.range);
                call.filter.into_iter().for_each(&mut visit);
                visit(call.body);
            }
            Self::Bind { value, body, .. } => [*value, *body].into_iter().for_each(visit),
            Self::Block { slots, body } => slots.iter().chain([body]).copied().for_each(visit),
            Self::OptMap { operand, body, .. } => [*operand, *body].into_iter().for_each(visit),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// One parsed expression.
#[derive(Clone, Debug)]
pub(crate) struct Ast {
    pub(crate) source: Arc<str>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: NodeId,
}

impl Ast {
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        // INVARIANT: ids are made by the parser that filled `nodes`.
        #[allow(clippy::indexing_slicing)]
        &self.nodes[id.index()]
    }

    pub(crate) fn kind(&self, id: NodeId) -> &Kind {
        &self.node(id).kind
    }

    pub(crate) fn span(&self, id: NodeId) -> Span {
        self.node(id).span
    }

    /// The source under a span.
    pub(crate) fn text(&self, span: Span) -> &str {
        self.source.get(span.range()).unwrap_or_default()
    }

    /// The source of a node.
    pub(crate) fn source_of(&self, id: NodeId) -> &str {
        self.text(self.span(id))
    }

    /// The dotted name that a chain of plain selects spells, and whether it starts with a dot.
    pub(crate) fn dotted(&self, id: NodeId) -> Option<(String, bool)> {
        let mut fields = Vec::new();
        let mut at = id;
        loop {
            match self.kind(at) {
                Kind::Select { operand, field, optional: false } => {
                    fields.push(self.text(*field));
                    at = *operand;
                }
                Kind::Ident { name, rooted } => {
                    let mut whole = self.text(*name).to_owned();
                    for field in fields.iter().rev() {
                        whole.push('.');
                        whole.push_str(field);
                    }
                    return Some((whole, *rooted));
                }
                _ => return None,
            }
        }
    }

    /// The constant text that a node is, when it is one.
    pub(crate) fn constant_text(&self, id: NodeId) -> Option<&Arc<str>> {
        match self.kind(id) {
            Kind::Literal(Literal::Text(text)) => Some(text),
            _ => None,
        }
    }
}
