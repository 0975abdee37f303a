//! A tree while it grows.

use std::sync::Arc;

use super::{Ast, Kind, Node, NodeId, Span};
use crate::{
    error::Error,
    limits::{HEIGHT_MAX, NODES_MAX},
};

/// The nodes so far, and how tall the tree below each of them is.
#[derive(Debug)]
pub(crate) struct Arena {
    nodes: Vec<Node>,
    heights: Vec<u16>,
}

impl Arena {
    /// An empty tree, with room for what a source of that many bytes needs at most in practice.
    pub(crate) fn for_source(bytes: usize) -> Self {
        let room = bytes / 6 + 4;
        Self { nodes: Vec::with_capacity(room), heights: Vec::with_capacity(room) }
    }

    /// Adds a node above its children.
    pub(crate) fn push(&mut self, kind: Kind, span: Span) -> Result<NodeId, Error> {
        if self.nodes.len() >= NODES_MAX {
            return Err(Error::new(span.range(), format!("the expression has more than {NODES_MAX} parts"))
                .help("split it into several rules or variables"));
        }
        let mut tallest = 0;
        kind.children(|child| tallest = tallest.max(self.heights.get(child.index()).copied().unwrap_or(0)));
        if usize::from(tallest) >= HEIGHT_MAX {
            return Err(Error::new(span.range(), format!("the expression is more than {HEIGHT_MAX} levels deep"))
                .help("split it with parentheses, a list or variables"));
        }
        self.heights.push(tallest + 1);
        self.nodes.push(Node { kind, span });
        Ok(NodeId(self.nodes.len() as u32 - 1))
    }

    pub(crate) fn kind(&self, id: NodeId) -> Option<&Kind> {
        self.nodes.get(id.index()).map(|node| &node.kind)
    }

    pub(crate) fn span(&self, id: NodeId) -> Span {
        self.nodes.get(id.index()).map(|node| node.span).unwrap_or_default()
    }

    /// The whole tree.
    pub(crate) fn finish(self, source: Arc<str>, root: NodeId) -> Ast {
        Ast { source, nodes: self.nodes, root }
    }
}
