//! Plans that give values: one arm for one of `run::values`.

use super::{
    Estimator,
    bounds::{Bounds, Spend},
    charges::{self, list_bytes},
    extent::Extent,
    size,
};
use crate::{
    ast::{Binary, Kind, NodeId},
    check::Meaning,
    functions::{self, Effect, Function},
    plan::{Arithmetic, BlockPlan, Call, Conditional, DeclaredCall, Element, OptMap, Otherwise, Plan, SearchCall},
    types::Type,
    value::{ATTRIBUTE_BYTES, Map, Value},
};

pub(super) type Estimated = (Spend, Extent);

impl Estimator<'_> {
    pub(super) fn plan(&mut self, plan: &Plan) -> Estimated {
        let free = |gives: Extent| (Spend::default(), gives);
        match plan {
            Plan::Const(value) => free(of_value(value)),
            Plan::Attribute(slot, _) => {
                let gives = self.attribute(*slot);
                let spend = if gives.may_be_map() {
                    Spend::grow(Bounds::at_most(ATTRIBUTE_BYTES as u64))
                } else {
                    Spend::default()
                };
                (spend, gives)
            }
            Plan::Key(key) => self.key(key),
            Plan::Variable(index, _) => free(self.variable(*index)),
            Plan::Lazy(index, at) => free(self.lazy(*index, *at)),
            Plan::Local(index) => free(self.local(*index)),
            Plan::Test(test) => (self.test(test), Extent::scalar()),
            Plan::Index(index) => self.index(index),
            Plan::Call(call) => self.call(call),
            Plan::Declared(call) => self.declared(call),
            Plan::Search(call) => self.search(call),
            Plan::Arithmetic(sum) => self.arithmetic(sum),
            Plan::Negate(operand, _) => (self.plan(operand).0, Extent::scalar()),
            Plan::List(elements, at) => self.list(elements, *at),
            Plan::Map(entries, at) => self.map(entries, *at),
            Plan::Conditional(choice) => self.conditional(choice),
            Plan::Fold(fold) => self.fold(fold),
            Plan::Bind(parts) => self.bind(&parts.0, &parts.1),
            Plan::Block(block) => self.block(block),
            Plan::Slot { place, .. } => free(self.local(*place)),
            Plan::OptMap(map) => self.opt_map(map),
            Plan::Otherwise(otherwise) => self.otherwise(otherwise),
            Plan::Default(operands) => self.default(operands),
            Plan::Entry(entry) => self.entry(entry),
            Plan::Fail(..) => free(Extent::never()),
            Plan::Probe(probe) => self.plan(&probe.plan),
        }
    }

    pub(super) fn local(&self, index: u16) -> Extent {
        self.locals.get(usize::from(index)).cloned().unwrap_or_else(Extent::scalar)
    }

    fn args(&mut self, args: &[Plan]) -> (Spend, Vec<Extent>) {
        let mut spend = Spend::default();
        let mut extents = Vec::with_capacity(args.len());
        for arg in args {
            let (more, extent) = self.plan(arg);
            spend = spend + more;
            extents.push(extent);
        }
        (spend, extents)
    }

    #[inline(never)]
    fn call(&mut self, call: &Call) -> Estimated {
        let (spend, args) = self.args(&call.args);
        let effect = match self.checked.meaning(NodeId(call.at)) {
            Meaning::Message(message) => crate::message::building(message, args.get(1..).unwrap_or_default()),
            _ => match call.args.first() {
                Some(Plan::Const(Value::String(text))) if self.is_format(call.at) => {
                    functions::formatting(&args, Some(text), self.may_be_bytes(call.at))
                }
                _ => effect(self.forms(call.at), &args),
            },
        };
        let own = self.note(call.at, effect.spend);
        (spend + own, self.made(call.at, effect.gives))
    }

    #[inline(never)]
    fn search(&mut self, call: &SearchCall) -> Estimated {
        let (spend, args) = self.args(&call.args);
        let name = self.forms(call.at).first().map_or("", |form| form.name);
        let effect = functions::sought(name, &args, call.pattern.weight);
        let own = self.note(call.at, effect.spend.perhaps());
        (spend + own, effect.gives)
    }

    /// Whether a node is a call of `format`.
    fn is_format(&self, at: u32) -> bool {
        self.forms(at).first().is_some_and(|form| form.name == "format")
    }

    /// Whether there may be bytes among the values of a format.
    fn may_be_bytes(&self, at: u32) -> bool {
        let Kind::Call { args, .. } = self.checked.ast.kind(NodeId(at)) else { return true };
        let Some(values) = args.first() else { return true };
        match self.checked.ast.kind(*values) {
            Kind::List(elements) => elements.iter().any(|element| holds_bytes(self.checked.ty(element.value))),
            _ => holds_bytes(self.checked.ty(*values)),
        }
    }

    /// The forms of the function that a node calls.
    fn forms(&self, at: u32) -> &'static [&'static Function] {
        let id = NodeId(at);
        let Kind::Call { function, target, .. } = self.checked.ast.kind(id) else { return &[] };
        let name = self.checked.ast.text(*function);
        match (self.checked.meaning(id), target) {
            (Meaning::Qualified(_) | Meaning::Declared { qualified: true, .. }, Some(target)) => {
                let head = self.checked.ast.dotted(*target).map(|(head, _)| head).unwrap_or_default();
                functions::forms(&format!("{head}.{name}"), false)
            }
            (_, target) => functions::forms(name, target.is_some()),
        }
    }

    #[inline(never)]
    fn declared(&mut self, call: &DeclaredCall) -> Estimated {
        let (spend, args) = self.args(&call.args);
        // The host says nothing of sizes: what it gives is taken for a value of its type.
        let mut gives = Extent::never();
        for overload in call.function.overloads.iter().filter(|overload| overload.params().len() == args.len()) {
            gives = gives.or(&size::of_type(overload.result()));
        }
        let bytes = gives
            .whole()
            .bytes
            .saturating_add(gives.len().max.saturating_mul(2).saturating_mul(size_of::<Value<'_>>() as u64));
        let mut own =
            Effect { spend: (Spend::steps(Bounds::exactly(1)) + Spend::grow(Bounds::at_most(bytes))).perhaps(), gives };
        if call.native.is_some() {
            own = own.or(effect(self.forms(call.at), &args));
        }
        self.note(call.at, own.spend);
        (spend + own.spend, self.made(call.at, own.gives))
    }

    #[inline(never)]
    fn arithmetic(&mut self, sum: &Arithmetic) -> Estimated {
        let (left, a) = self.plan(&sum.left);
        let (right, b) = self.plan(&sum.right);
        if sum.operator != Binary::Add {
            return (left + right, Extent::scalar());
        }
        let (len, count) = (a.len() + b.len(), a.count() + b.count());
        let (mut own, mut gives) = (Effect { spend: Spend::default(), gives: Extent::never() }, Extent::never());
        if a.may_be_flat() && b.may_be_flat() {
            own.spend = Spend::grow(len);
            gives = Extent::text(len).or(&Extent::number(a.most().saturating_add(b.most())));
        }
        if a.may_be_list() && b.may_be_list() {
            let spend = Spend::grow(list_bytes(count));
            own.spend = if a.may_be_flat() && b.may_be_flat() { own.spend.or(spend) } else { spend };
            let bytes = a.whole().bytes.saturating_add(b.whole().bytes);
            gives = gives.or(&Extent::list(count, a.element().or(&b.element())).of_bytes(bytes));
        }
        self.note(sum.at, own.spend);
        (left + right + own.spend, gives)
    }

    #[inline(never)]
    fn list(&mut self, elements: &[Element], at: u32) -> Estimated {
        let mut spend = self.note(at, Spend::grow(list_bytes(Bounds::exactly(elements.len() as u64))));
        let (mut len, mut inside, mut bytes) = (Bounds::ZERO, Extent::never(), 0_u64);
        for element in elements {
            let (more, extent) = self.element(element);
            spend = spend + more;
            len = len + if element.optional { Bounds::at_most(1) } else { Bounds::exactly(1) };
            bytes = bytes.saturating_add(extent.whole().bytes);
            inside = inside.or(&extent);
        }
        (spend, self.made(at, Extent::list(len, inside).of_bytes(bytes)))
    }

    fn element(&mut self, element: &Element) -> Estimated {
        let (spend, extent) = self.plan(&element.value);
        (spend, if element.optional { extent.element() } else { extent })
    }

    #[inline(never)]
    fn map(&mut self, entries: &[(Plan, Element)], at: u32) -> Estimated {
        let (mut len, mut keys, mut values) = (Bounds::ZERO, Extent::never(), Extent::never());
        let (mut spend, mut own) = (Spend::default(), Spend::default());
        for (key, element) in entries {
            let (more, key) = self.plan(key);
            let (most, value) = self.element(element);
            let entry = charges::entry(&key);
            own = own + if element.optional { entry.perhaps() } else { entry };
            spend = spend + more + most;
            len = len + if element.optional { Bounds::at_most(1) } else { Bounds::exactly(1) };
            (keys, values) = (keys.or(&key), values.or(&value));
        }
        let own = self.note(at, own);
        (spend + own, self.made(at, Extent::map(len, keys, values)))
    }

    #[inline(never)]
    fn conditional(&mut self, choice: &Conditional) -> Estimated {
        let test = self.test(&choice.test);
        let (then, a) = self.plan(&choice.then);
        let (other, b) = self.plan(&choice.other);
        (test + then.or(other), a.or(&b))
    }

    #[inline(never)]
    fn bind(&mut self, value: &Plan, body: &Plan) -> Estimated {
        let (spend, extent) = self.plan(value);
        self.locals.push(extent);
        let (more, gives) = self.plan(body);
        self.locals.pop();
        (spend + more, gives)
    }

    /// The first that is there.
    fn default(&mut self, operands: &[Plan]) -> Estimated {
        let (spend, extents) = self.args(operands);
        (spend.perhaps(), extents.iter().fold(Extent::never(), |all, extent| all.or(extent)))
    }

    /// Each slot is evaluated once at most; it sees what the block sees, and the slots before it.
    #[inline(never)]
    fn block(&mut self, block: &BlockPlan) -> Estimated {
        let outer = self.locals.len();
        self.locals.extend(block.slots.iter().map(|_| Extent::never()));
        let mut spend = Spend::default();
        for (index, slot) in block.slots.iter().enumerate() {
            let (more, extent) = self.plan(slot);
            spend = spend + more.perhaps();
            if let Some(place) = self.locals.get_mut(outer + index) {
                *place = extent;
            }
        }
        let (more, gives) = self.plan(&block.body);
        self.locals.truncate(outer);
        (spend + more, gives)
    }

    #[inline(never)]
    fn opt_map(&mut self, map: &OptMap) -> Estimated {
        let (spend, operand) = self.plan(&map.operand);
        self.locals.push(operand.element());
        let (more, inner) = self.plan(&map.body);
        self.locals.pop();
        let (wrapping, gives) =
            if map.flat { (Spend::default(), inner) } else { (charges::optional(), Extent::optional(inner)) };
        let gives = self.made(map.at, gives.or(&Extent::optional(Extent::never())));
        (spend + (more + wrapping).perhaps(), gives)
    }

    #[inline(never)]
    fn otherwise(&mut self, otherwise: &Otherwise) -> Estimated {
        let (spend, operand) = self.plan(&otherwise.operand);
        let (more, other) = self.plan(&otherwise.other);
        let gives = if otherwise.unwrap { operand.element().or(&other) } else { operand.or(&other) };
        (spend + more.perhaps(), gives)
    }
}

/// What a call takes and gives, whichever of the forms with as many parameters it is.
fn effect(forms: &[&Function], args: &[Extent]) -> Effect {
    let fits = |form: &&&Function| form.may_take(args);
    let effects = forms.iter().filter(fits).map(|form| form.growth.effect(args));
    // When no form takes the values, the call fails before it does anything; which is not known of one of another name.
    match (forms.is_empty(), effects.reduce(Effect::or)) {
        (true, _) => Effect::unknown(),
        (false, Some(effect)) => effect,
        (false, None) => Effect { spend: functions::reading(args), gives: Extent::never() },
    }
}

/// Whether a value of that type may be bytes, or have some inside.
fn holds_bytes(ty: &Type) -> bool {
    match ty {
        Type::List(inner) | Type::Optional(inner) | Type::Wrapper(inner) => holds_bytes(inner),
        Type::Map(key, value) => holds_bytes(key) || holds_bytes(value),
        Type::Dyn | Type::Bytes | Type::Opaque(_) | Type::Param(_) => true,
        _ => false,
    }
}

/// How large a constant is.
pub(super) fn of_value(value: &Value<'_>) -> Extent {
    let exactly = |len: usize| Bounds::exactly(len as u64);
    match value {
        Value::Int(value) => Extent::number(u64::try_from(*value).unwrap_or(0)),
        Value::String(text) => Extent::text(exactly(text.len())),
        Value::Bytes(bytes) => Extent::text(exactly(bytes.len())),
        Value::List(list) => {
            let (mut inside, mut bytes) = (Extent::never(), 0_u64);
            for element in list.iter().map(of_value) {
                bytes = bytes.saturating_add(element.whole().bytes);
                inside = inside.or(&element);
            }
            Extent::list(exactly(list.len()), inside).of_bytes(bytes)
        }
        Value::Map(Map::Entries(entries)) => {
            let (mut keys, mut values) = (Extent::never(), Extent::never());
            for (key, value) in entries.pairs() {
                (keys, values) = (keys.or(&of_value(key)), values.or(&of_value(value)));
            }
            Extent::map(exactly(entries.pairs().len()), keys, values)
        }
        Value::Optional(None) => Extent::optional(Extent::never()),
        Value::Optional(Some(inner)) => Extent::optional(of_value(inner)),
        _ => Extent::scalar(),
    }
}
