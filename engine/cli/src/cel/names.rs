//! The names that an expression may use: the vocabulary's, and those that the command line declares.

use clap::Args;
use weir_attributes::{Attribute, Phase, vocabulary};
use weir_cel::{Env, Type};

use super::Budget;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(super) struct Declared {
    /// Declares a variable: --var 'user=map(string, dyn)'. Repeatable.
    #[arg(long = "var", value_name = "NAME=TYPE", value_parser = variable)]
    variables: Vec<Variable>,
    /// Looks names up inside this dotted name first: with `request`, `method` is `request.method`.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    container: String,
    /// Knows the attributes of the response too, as reports do; a check cannot read them.
    #[arg(long, conflicts_with = "no_vocabulary")]
    all: bool,
    /// Knows no attributes, only what --var declares: for expressions of other hosts.
    #[arg(long)]
    no_vocabulary: bool,
}

#[derive(Clone, Debug)]
struct Variable {
    name: String,
    ty: Type,
}

/// Reads `name=type`; the error says what to write.
fn variable(text: &str) -> Result<Variable, String> {
    let Some((name, ty)) = text.split_once('=') else {
        return Err("write the name, `=` and the type, such as `user=string`".to_owned());
    };
    let (name, ty) = (name.trim(), ty.trim());
    if let Some(why) = not_a_name(name) {
        return Err(why);
    }
    let ty = self::ty(ty)?;
    Ok(Variable { name: name.to_owned(), ty })
}

/// Reads a type; the error says what to write.
pub(super) fn ty(text: &str) -> Result<Type, String> {
    text.parse().map_err(|errors: weir_cel::Errors| {
        let each = errors.into_iter().map(|error| match error.help {
            Some(help) => format!("{}; {help}", error.message),
            None => error.message,
        });
        each.collect::<Vec<_>>().join("; ")
    })
}

/// Why that cannot be the name of a variable, and what can.
pub(super) fn not_a_name(name: &str) -> Option<String> {
    if ["true", "false", "null", "in"].contains(&name) {
        return Some(format!("`{name}` is a word of the language; choose another name"));
    }
    let part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    (!name.split('.').all(part))
        .then(|| format!("`{name}` is not a name; write letters, digits and `_`, in parts joined by dots"))
}

/// What a name is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    Attribute(&'static Attribute),
    /// By its number in [`Names::variables`], which is that of the environment.
    Variable(usize),
}

/// The environment, and what it was made of.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) env: Env,
    pub(super) variables: Vec<(String, Type)>,
    phases: &'static [Phase],
}

impl Declared {
    pub(super) fn names(&self) -> Result<Names, Failure> {
        self.within(None)
    }

    /// The names of an environment that refuses what is estimated to take more than that budget, as that of policies does.
    pub(super) fn names_within(&self, budget: &Budget) -> Result<Names, Failure> {
        self.within(Some(budget))
    }

    fn within(&self, budget: Option<&Budget>) -> Result<Names, Failure> {
        let (mut builder, phases): (_, &[Phase]) = match (self.no_vocabulary, self.all) {
            (true, _) => (Env::builder(), &[]),
            (false, true) => (Env::builder().vocabulary_all(), &[Phase::Request, Phase::Response]),
            (false, false) => (Env::builder().vocabulary(), &[Phase::Request]),
        };
        let mut variables: Vec<(String, Type)> = Vec::new();
        for Variable { name, ty } in &self.variables {
            if variables.iter().any(|(other, _)| other == name) {
                return Err(Failure::Usage(format!("--var declares `{name}` twice; keep one of the two")));
            }
            builder = builder.variable(name, ty.clone());
            variables.push((name.clone(), ty.clone()));
        }
        if !self.container.is_empty() {
            if let Some(why) = not_a_name(&self.container) {
                return Err(Failure::Usage(format!("--container: {why}")));
            }
            builder = builder.container(&self.container);
        }
        if let Some(Budget { steps, bytes }) = budget {
            builder = builder.cost_limit(*steps, *bytes);
        }
        let names = Names { env: builder.build(), variables, phases };
        let attributes = Names { variables: Vec::new(), ..names.clone() };
        if let Some((name, _)) = names.variables.iter().find(|(name, _)| attributes.begins(name)) {
            let help = "choose another name, or leave the attributes out with --no-vocabulary";
            return Err(Failure::Usage(format!("--var `{name}`: the names of attributes begin with it; {help}")));
        }
        // A reserved word is a name to us, but not to the parser.
        for (name, _) in &names.variables {
            if let Err(errors) = names.env.compile(name) {
                let why = errors.errors().first().map_or("", |error| &error.message);
                return Err(Failure::Usage(format!("--var `{name}`: {why}; choose another name")));
            }
        }
        Ok(names)
    }
}

impl Names {
    /// Attributes alone, with those of the response if `all`.
    pub(super) fn of_vocabulary(all: bool) -> Names {
        let (env, phases): (_, &[Phase]) = match all {
            true => (Env::vocabulary_all(), &[Phase::Request, Phase::Response]),
            false => (Env::vocabulary(), &[Phase::Request]),
        };
        Names { env, variables: Vec::new(), phases }
    }

    /// What a name is; variables come before attributes.
    pub(super) fn find(&self, name: &str) -> Option<Meaning> {
        let variable = self.variables.iter().position(|(other, _)| other == name).map(Meaning::Variable);
        let attribute = || weir_attributes::lookup(name).filter(|attribute| self.knows(attribute));
        variable.or_else(|| attribute().map(Meaning::Attribute))
    }

    fn knows(&self, attribute: &Attribute) -> bool {
        self.phases.contains(&attribute.phase)
    }

    pub(super) fn has_attributes(&self) -> bool {
        !self.phases.is_empty()
    }

    /// Every name: variables, then attributes.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        let attributes = vocabulary().iter().filter(|attribute| self.knows(attribute));
        self.variables.iter().map(|(name, _)| name.as_str()).chain(attributes.map(|attribute| attribute.name))
    }

    /// Whether longer names begin with it.
    pub(super) fn begins(&self, name: &str) -> bool {
        self.all().any(|other| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
    }
}
