//! What names mean: attributes, variables, lazily evaluated variables.

use std::{collections::HashMap, sync::Arc, sync::atomic::AtomicU64, sync::atomic::Ordering};

use weir_attributes::{Phase, Slot};

use crate::{
    check,
    cost::Size,
    declare::{self, Overload},
    error::Errors,
    limits::{BYTES_DEFAULT, LAZIES_MAX, STEPS_DEFAULT},
    message::{Message, NULL_VALUE},
    parse, plan,
    program::Program,
    types::Type,
    value::TypeName,
};

/// The names that an expression may use, and how it is checked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Env(Arc<Names>);

#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    vocabulary: Vocabulary,
    variables: Vec<(Box<str>, Type)>,
    lazies: Vec<Lazy>,
    declared: HashMap<Box<str>, Declared>,
    /// Declared functions by their name, and whether they are methods.
    functions: HashMap<(Box<str>, bool), Arc<declare::Declared>>,
    container: Box<str>,
    pub(crate) lenient: bool,
    plain: bool,
    /// How large the values of attributes and variables are, where it is said.
    sizes: HashMap<Box<str>, Size>,
    /// The steps and bytes that an expression may be estimated to take.
    limit: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Vocabulary {
    #[default]
    None,
    Request,
    All,
}

#[derive(Clone, Copy, Debug)]
enum Declared {
    Variable(u32),
    Lazy(u16),
}

/// A variable that is evaluated when it is first read, once an activation.
#[derive(Clone, Debug)]
pub(crate) struct Lazy {
    /// Different for every variable of every environment, so that one scratch serves many programs.
    pub(crate) id: u64,
    pub(crate) name: Arc<str>,
    pub(crate) program: Program,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Meaning {
    Attribute(Slot),
    Variable(u32),
    Lazy(u16),
    Type(TypeName),
    /// The value of an enum.
    Constant(i64),
}

impl Env {
    /// The attributes that are known when a check is made. What is estimated to take more than the default budget is
    /// refused, so that no request of a usual size (the `SIZE_...` of [`crate::limits`]) makes an expression stop.
    #[must_use]
    pub fn vocabulary() -> Self {
        Self::builder().vocabulary().cost_limit(STEPS_DEFAULT, BYTES_DEFAULT).build()
    }

    /// Every attribute, those of the response, the check and the trace included: for reports. Bounded as
    /// [`Env::vocabulary`].
    #[must_use]
    pub fn vocabulary_all() -> Self {
        Self::builder().vocabulary_all().cost_limit(STEPS_DEFAULT, BYTES_DEFAULT).build()
    }

    /// An environment without any name yet.
    #[must_use]
    pub fn builder() -> EnvBuilder {
        EnvBuilder(Names::default())
    }

    /// The same environment with a variable that later expressions read as `name`: it is evaluated when it is first
    /// read, once for each [`crate::Scratch::reset`]. It can read only what is declared before it, so there are no cycles.
    ///
    /// # Errors
    /// A name that is declared already or is no dotted name, and more than [`LAZIES_MAX`] of them; the span is that of
    /// `name`.
    pub fn with_lazy(&self, name: &str, program: &Program) -> Result<Self, Errors> {
        let refuse = |message: String, help: &str| {
            let error = crate::Error::new(0..name.len(), message).help(help);
            Errors::new(name.into(), vec![error])
        };
        if !is_dotted(name) {
            return Err(refuse(format!("`{name}` is not a name"), "letters, digits and `_`, in parts joined by dots"));
        }
        if self.0.declared.contains_key(name) || self.0.attribute(name).is_some() {
            return Err(refuse(format!("`{name}` is declared twice"), "give it another name"));
        }
        if self.0.lazies.len() >= LAZIES_MAX {
            return Err(refuse(format!("there are more than {LAZIES_MAX} variables"), "write some of them in place"));
        }
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut names = (*self.0).clone();
        names.declared.insert(name.into(), Declared::Lazy(names.lazies.len() as u16));
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        names.lazies.push(Lazy { id, name: name.into(), program: program.clone() });
        Ok(Self(Arc::new(names)))
    }

    /// Parses, checks and plans an expression.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its span and, where there is one, a way out.
    pub fn compile(&self, source: &str) -> Result<Program, Errors> {
        let source: Arc<str> = source.into();
        let ast =
            parse::parse(source.clone(), !self.0.plain).map_err(|error| Errors::new(source.clone(), vec![error]))?;
        let checked = check::check(ast, &self.0).map_err(|errors| Errors::new(source.clone(), errors))?;
        let program = plan::plan(checked, self.0.lazies.as_slice().into(), &self.0)
            .map_err(|error| Errors::new(source, vec![error]))?;
        Ok(program.within(self))
    }

    /// The same, and the result must be of that type (or `dyn`).
    ///
    /// # Errors
    /// As [`Env::compile`], and a result of another type.
    pub fn compile_as(&self, source: &str, wanted: &Type) -> Result<Program, Errors> {
        let program = self.compile(source)?;
        if program.result_type().unite(wanted).is_some() {
            return Ok(program);
        }
        let message = format!("the expression is {}, but {wanted} is needed", program.result_type());
        Err(Errors::new(source.into(), vec![crate::Error::new(0..source.len(), message)]))
    }
}

fn is_dotted(name: &str) -> bool {
    name.split('.').all(|part| {
        part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

impl Names {
    pub(crate) fn lazy(&self, index: u16) -> Option<&Lazy> {
        self.lazies.get(usize::from(index))
    }

    pub(crate) fn variable_type(&self, index: u32) -> Type {
        self.variables.get(index as usize).map_or(Type::Dyn, |(_, ty)| ty.clone())
    }

    pub(crate) fn variable_name(&self, index: u32) -> Option<&str> {
        self.variables.get(index as usize).map(|(name, _)| &**name)
    }

    /// How large the value of that name is, where it is said.
    pub(crate) fn size(&self, name: &str) -> Option<&Size> {
        self.sizes.get(name)
    }

    pub(crate) fn limit(&self) -> Option<(u64, u64)> {
        self.limit
    }

    fn attribute(&self, name: &str) -> Option<Slot> {
        let attribute = weir_attributes::lookup(name)?;
        match (self.vocabulary, attribute.phase) {
            (Vocabulary::All, _) | (Vocabulary::Request, Phase::Request) => Some(attribute.slot),
            _ => None,
        }
    }

    fn plain(&self, name: &str) -> Option<Meaning> {
        match self.declared.get(name) {
            Some(Declared::Variable(index)) => return Some(Meaning::Variable(*index)),
            Some(Declared::Lazy(index)) => return Some(Meaning::Lazy(*index)),
            None => {}
        }
        let ty = || TypeName::find(name).map(Meaning::Type);
        let null = || (name == NULL_VALUE).then_some(Meaning::Constant(0));
        self.attribute(name).map(Meaning::Attribute).or_else(ty).or_else(null)
    }

    /// What a dotted name stands for: first inside the container, then inside what contains that.
    pub(crate) fn resolve(&self, name: &str, rooted: bool) -> Option<Meaning> {
        self.search(name, rooted, |name| self.plain(name))
    }

    /// The message of that name.
    pub(crate) fn message(&self, name: &str, rooted: bool) -> Option<Message> {
        self.search(name, rooted, Message::find)
    }

    /// Looks for a name inside the container, then inside what contains that, then as it is.
    fn search<T>(&self, name: &str, rooted: bool, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        let mut container = if rooted { "" } else { &*self.container };
        while !container.is_empty() {
            if let Some(found) = find(&format!("{container}.{name}")) {
                return Some(found);
            }
            container = container.rsplit_once('.').map_or("", |(outer, _)| outer);
        }
        find(name)
    }

    /// The declared function of that name and style. The names of methods are not inside of containers.
    pub(crate) fn function(&self, name: &str, method: bool, rooted: bool) -> Option<Arc<declare::Declared>> {
        if self.functions.is_empty() {
            return None;
        }
        self.search(name, rooted || method, |name| self.functions.get(&(name.into(), method)).cloned())
    }

    /// The names of the declared functions of that style.
    pub(crate) fn functions(&self, method: bool) -> impl Iterator<Item = &str> {
        self.functions.keys().filter(move |(_, style)| *style == method).map(|(name, _)| &**name)
    }

    /// Every name that has a value.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        let attributes = weir_attributes::vocabulary().iter().filter(|attribute| match self.vocabulary {
            Vocabulary::None => false,
            Vocabulary::Request => attribute.phase == Phase::Request,
            Vocabulary::All => true,
        });
        attributes.map(|attribute| attribute.name).chain(self.declared.keys().map(|name| &**name))
    }

    /// Whether that is an attribute that is known only later.
    pub(crate) fn is_later(&self, name: &str) -> bool {
        self.vocabulary == Vocabulary::Request && weir_attributes::lookup(name).is_some()
    }
}

/// Collects the names of an [`Env`].
#[derive(Clone, Debug)]
pub struct EnvBuilder(Names);

impl EnvBuilder {
    /// Adds the attributes that are known when a check is made.
    #[must_use]
    pub fn vocabulary(mut self) -> Self {
        self.0.vocabulary = Vocabulary::Request;
        self
    }

    /// Adds every attribute.
    #[must_use]
    pub fn vocabulary_all(mut self) -> Self {
        self.0.vocabulary = Vocabulary::All;
        self
    }

    /// Adds a variable, which may have dots in its name. [`crate::Activation::variable`] is asked for it by its index:
    /// 0 for the first one that was added. Adding a name again changes its type. A type of more than
    /// [`crate::limits::TYPE_PARTS_MAX`] parts is `dyn`.
    #[must_use]
    pub fn variable(mut self, name: &str, ty: Type) -> Self {
        let ty = ty.bounded().settled();
        match self.0.declared.get(name) {
            Some(Declared::Variable(index)) => {
                if let Some(place) = self.0.variables.get_mut(*index as usize) {
                    place.1 = ty;
                }
            }
            _ => {
                let index = self.0.variables.len() as u32;
                self.0.declared.insert(name.into(), Declared::Variable(index));
                self.0.variables.push((name.into(), ty));
            }
        }
        self
    }

    /// Adds a form of a function of the host's own. The name may have dots, and may be that of a function of the
    /// language, which then has one form more; where both take an argument, the declared one is called. A form with the
    /// same parameters takes the place of the earlier one. A method that is named and called like a macro is the macro.
    #[must_use]
    pub fn function(mut self, name: &str, overload: Overload) -> Self {
        let key = (Box::from(name), overload.is_method());
        let declared = self.0.functions.entry(key).or_default();
        Arc::make_mut(declared).add(overload);
        self
    }

    /// Says how large the value of an attribute or variable is at most, for the estimate of costs. What nothing is said
    /// of is taken for what [`crate::limits`] has (`SIZE_...`).
    #[must_use]
    pub fn size_hint(mut self, name: &str, size: Size) -> Self {
        self.0.sizes.insert(name.into(), size);
        self
    }

    /// Refuses expressions that are estimated to take more steps or bytes than that. There is no limit unless one is set.
    #[must_use]
    pub fn cost_limit(mut self, steps: u64, bytes: u64) -> Self {
        self.0.limit = Some((steps, bytes));
        self
    }

    /// Looks names up inside that dotted name first.
    #[must_use]
    pub fn container(mut self, container: &str) -> Self {
        self.0.container = container.into();
        self
    }

    /// Lets expressions through that the checker would refuse: unknown names and wrong types then fail when they are
    /// evaluated, as `dyn` everywhere would have it.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.0.lenient = true;
        self
    }

    /// Takes macros for plain functions.
    #[must_use]
    pub fn without_macros(mut self) -> Self {
        self.0.plain = true;
        self
    }

    /// The environment.
    #[must_use]
    pub fn build(self) -> Env {
        Env(Arc::new(self.0))
    }
}
