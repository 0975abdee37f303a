//! Diagnostics as text for a person, in the layout that rustc has made familiar.

use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Diagnostics, Severity, printable};

pub(super) fn render(diagnostics: &Diagnostics, coloured: bool, limit: usize) -> String {
    let renderer = renderer(coloured);
    let mut out = String::new();
    for diagnostic in diagnostics.iter().take(limit) {
        out.push_str(&one(diagnostic, &renderer));
        out.push_str("\n\n");
    }
    let all = diagnostics.errors() + diagnostics.warnings();
    let printed = diagnostics.iter().len().min(limit);
    if all > printed {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "... and {} more", all - printed);
    }
    let _ = write!(out, "{}, {}", counted(diagnostics.errors(), "error"), counted(diagnostics.warnings(), "warning"));
    out
}

pub(super) fn single(diagnostic: &Diagnostic, coloured: bool) -> String {
    one(diagnostic, &renderer(coloured))
}

fn renderer(coloured: bool) -> Renderer {
    if coloured { Renderer::styled() } else { Renderer::plain() }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn one(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let path = printable(&diagnostic.place.file);
    let message = printable(&diagnostic.message);
    let mut group = Group::with_title(level.primary_title(message));
    group = group.element(match &diagnostic.excerpt {
        Some(excerpt) => Element::from(
            Snippet::source(excerpt.text())
                .line_start(diagnostic.place.line)
                .path(path)
                .fold(false)
                .annotation(AnnotationKind::Primary.span(excerpt.marked())),
        ),
        None => Origin::path(path).into(),
    });
    for (level, text) in notes(diagnostic) {
        group = group.element(level.message(text));
    }
    renderer.render(&[group])
}

fn notes(diagnostic: &Diagnostic) -> Vec<(Level<'static>, String)> {
    let mut notes = Vec::new();
    if let Some(related) = &diagnostic.related {
        notes.push((Level::NOTE, printable(&format!("{}: {}", related.message, related.place))));
    }
    if let Some(resource) = &diagnostic.resource {
        notes.push((Level::NOTE, printable(&format!("in {resource}"))));
    }
    if let Some(help) = &diagnostic.help {
        notes.push((Level::HELP, printable(help)));
    }
    notes
}
