//! Every limit of this crate, in one place.

/// The longest source that is parsed, in bytes.
pub const SOURCE_MAX: usize = 16 * 1024;

/// The most syntax nodes in one expression.
pub const NODES_MAX: usize = 4_000;

/// The deepest nesting of brackets, braces, parentheses and call arguments.
pub const NESTING_MAX: usize = 96;

/// The tallest syntax tree, variables that it reads included: long chains (`a + b + ...`, `a.b.c...`) count here. It
/// keeps every recursive pass within a 2 MiB stack.
pub const HEIGHT_MAX: usize = 250;

/// The most types in the text of one type, itself and those inside of it counted; also in the type of a variable, and in
/// what a declared function with type parameters gives, where more are `dyn`: a type may name another twice at each
/// level.
pub const TYPE_PARTS_MAX: usize = 256;

/// The most messages within messages that are read, lists and maps of JSON included.
pub const MESSAGE_NESTING_MAX: usize = 100;

/// The bytes that the value of a message may take that is read outside of an evaluation.
pub const MESSAGE_MEMORY_MAX: u64 = 16 * 1024 * 1024;

/// The longest text of one value, in bytes.
pub const VALUE_TEXT_MAX: usize = 1024 * 1024;

/// The most parts of an expression that an explanation records, those in rounds of macros included.
pub const EXPLAIN_PARTS_MAX: usize = 2_000;

/// The most parts that an explanation shows, those that were not evaluated included.
pub const EXPLAIN_SHOWN_MAX: usize = 8_000;

/// How many rounds of a macro an explanation shows, the last one aside.
pub const EXPLAIN_ROUNDS_MAX: usize = 4;

/// How much of a value or of a part's source an explanation shows, in characters.
pub const EXPLAIN_TEXT_MAX: usize = 80;

/// The longest literal that a residual has in place of a known value, in bytes.
pub const RESIDUAL_LITERAL_MAX: usize = 512;

/// The most parts of a value that are searched for headers before a copy of it is kept.
pub(crate) const COPY_PARTS_MAX: usize = 10_000;

/// How often what is left of an expression is itself reduced: a decided condition may leave more that is known.
pub(crate) const RESIDUAL_ROUNDS: usize = 4;

/// The most errors that one compilation reports.
pub const ERRORS_MAX: usize = 20;

/// The most reads of what may be absent that [`crate::Program::unguarded`] lists: each repeats the condition around it.
pub const UNGUARDED_MAX: usize = 100;

/// The most lazily evaluated variables in one environment.
pub const LAZIES_MAX: usize = 64;

/// The largest compiled form of a pattern that stands in the source, in bytes.
pub const REGEX_MAX: usize = 1024 * 1024;

/// The deepest nesting of groups and classes in a pattern.
pub(crate) const REGEX_NESTING_MAX: u32 = 64;

/// The compiled forms of all patterns that stand in one source, in bytes, each rounded up to a power of four.
pub const REGEX_TOTAL_MAX: usize = 4 * 1024 * 1024;

/// The largest compiled form of a pattern that is computed while an expression runs, in bytes.
pub const REGEX_RUN_MAX: usize = 64 * 1024;

/// The steps that compiling a pattern while running costs.
pub(crate) const REGEX_RUN_STEPS: u64 = 5_000;

/// The bytes that compiling a pattern while running counts as: it is gone after its one use.
pub(crate) const REGEX_RUN_BYTES: usize = 256 * 1024;

/// The most lists, maps and optionals inside of one another that an expression builds, those that it reads not counted.
pub const VALUE_NESTING_MAX: usize = 250;

/// What the estimate takes a path, a query or the value of a header for, in bytes: what RFC 9110 §4.1 asks everyone to
/// take, and what servers commonly limit a line to. Longer ones are judged by the budget while the expression runs.
pub const SIZE_TARGET: u64 = 8 * 1024;

/// What the estimate takes the number of header lines for, which is what the sidecar takes.
pub const SIZE_HEADER_LINES: u64 = 100;

/// What the estimate takes the name of a header for, in bytes.
pub const SIZE_HEADER_NAME: u64 = 256;

/// What the estimate takes the number of a workload's labels for.
pub const SIZE_LABELS: u64 = 64;

/// What the estimate takes the name of a label for, in bytes: Kubernetes allows no more.
pub const SIZE_LABEL_NAME: u64 = 317;

/// What the estimate takes the value of a label for, in bytes: Kubernetes allows no more.
pub const SIZE_LABEL_VALUE: u64 = 63;

/// What the estimate takes any other text for, in bytes: as long as a SPIFFE ID may be.
pub const SIZE_TEXT: u64 = 2 * 1024;

/// What the estimate takes the number of elements of a list or entries of a map for.
pub const SIZE_ENTRIES: u64 = 100;

/// What the estimate takes a value of an unknown type for: so many values, everything inside of it counted.
pub const SIZE_DYN_PARTS: u64 = 256;

/// What the estimate takes the texts of a value of an unknown type for, in bytes, all together.
pub const SIZE_DYN_BYTES: u64 = 8 * 1024;

/// The steps of one evaluation unless told otherwise: about one for each node that is visited in a loop, and one for
/// every 64 bytes that a function reads.
pub const STEPS_DEFAULT: u64 = 250_000;

/// The bytes that one evaluation may allocate unless told otherwise.
pub const BYTES_DEFAULT: u64 = 4 * 1024 * 1024;

/// The steps that folding the constants of one expression may take.
pub(crate) const FOLD_STEPS: u64 = 100_000;

/// The bytes that the folded constants of one expression may hold.
pub(crate) const FOLD_BYTES: u64 = 256 * 1024;

/// The longest DNS name in bytes, before it is decoded: what is longer is no name.
pub const DNS_NAME_MAX: usize = 1024;
