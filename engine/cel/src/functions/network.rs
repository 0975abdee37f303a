//! IP addresses and ranges of them.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use super::{Function, Growth, Native, Outcome, Shape, global, method};
use crate::{
    error::EvalErrorKind::{self, Conversion, NoOverload},
    run::Budget,
    value::Value,
};

pub(super) const FUNCTIONS: &[Function] = &[
    global("ip", &[Shape::Ip], Shape::Ip, ip).costs(Growth::Reads),
    global("ip", &[Shape::Text], Shape::Ip, ip).costs(Growth::Reads),
    global("cidr", &[Shape::Cidr], Shape::Cidr, cidr).costs(Growth::Reads),
    global("cidr", &[Shape::Text], Shape::Cidr, cidr).costs(Growth::Reads),
    global("isIP", &[Shape::Text], Shape::Bool, is_ip).costs(Growth::Reads),
    global("isCIDR", &[Shape::Text], Shape::Bool, is_cidr).costs(Growth::Reads),
    global("ip.isCanonical", &[Shape::Text], Shape::Bool, is_canonical).costs(Growth::Reads),
];

const fn of_ip(name: &'static str, result: Shape, run: Native) -> Function {
    method(name, &[Shape::Ip], result, run).costs(Growth::Fixed)
}

const fn of_cidr(name: &'static str, params: &'static [Shape], result: Shape, run: Native) -> Function {
    method(name, params, result, run).costs(Growth::Reads)
}

pub(super) const METHODS: &[Function] = &[
    of_ip("family", Shape::Int, family),
    of_ip("isUnspecified", Shape::Bool, is_unspecified),
    of_ip("isLoopback", Shape::Bool, is_loopback),
    of_ip("isGlobalUnicast", Shape::Bool, is_global_unicast),
    of_ip("isLinkLocalMulticast", Shape::Bool, is_link_local_multicast),
    of_ip("isLinkLocalUnicast", Shape::Bool, is_link_local_unicast),
    of_cidr("containsIP", &[Shape::Cidr, Shape::Ip], Shape::Bool, contains_ip),
    of_cidr("containsIP", &[Shape::Cidr, Shape::Text], Shape::Bool, contains_ip),
    of_cidr("containsCIDR", &[Shape::Cidr, Shape::Cidr], Shape::Bool, contains_cidr),
    of_cidr("containsCIDR", &[Shape::Cidr, Shape::Text], Shape::Bool, contains_cidr),
    of_cidr("ip", &[Shape::Cidr], Shape::Ip, cidr_ip),
    of_cidr("masked", &[Shape::Cidr], Shape::Cidr, masked),
    of_cidr("prefixLength", &[Shape::Cidr], Shape::Int, prefix_length),
];

/// Takes the steps of reading the last argument, where it is a text.
fn read(args: &[Value<'_>], budget: &mut Budget) -> Result<(), EvalErrorKind> {
    budget.read(args.last().and_then(Value::as_str).map_or(0, str::len))
}

/// Reads an address; one with a zone, or an IPv4 address in IPv6 clothes with dots, is none.
fn parse_ip(text: &str) -> Option<IpAddr> {
    let ip: IpAddr = text.parse().ok()?;
    match ip {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() && text.contains('.') => None,
        _ => Some(ip),
    }
}

fn parse_cidr(text: &str) -> Option<IpNet> {
    let (ip, length) = text.split_once('/')?;
    let plain = length.bytes().all(|byte| byte.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
    let ip = parse_ip(ip).filter(|ip| plain && !matches!(ip, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some()))?;
    IpNet::new(ip, length.parse().ok()?).ok()
}

fn ip<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget)?;
    match args {
        [Value::Ip(ip)] => Ok(Value::Ip(*ip)),
        [Value::String(text)] => parse_ip(text).map(Value::Ip).ok_or(Conversion),
        _ => Err(NoOverload),
    }
}

fn cidr<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget)?;
    match args {
        [Value::Cidr(cidr)] => Ok(Value::Cidr(*cidr)),
        [Value::String(text)] => parse_cidr(text).map(Value::Cidr).ok_or(Conversion),
        _ => Err(NoOverload),
    }
}

fn is_ip<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget)?;
    match args {
        [Value::String(text)] => Ok(Value::Bool(parse_ip(text).is_some())),
        _ => Err(NoOverload),
    }
}

fn is_cidr<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget)?;
    match args {
        [Value::String(text)] => Ok(Value::Bool(parse_cidr(text).is_some())),
        _ => Err(NoOverload),
    }
}

fn is_canonical<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget)?;
    match args {
        [Value::String(text)] => {
            let ip = parse_ip(text).ok_or(Conversion)?;
            Ok(Value::Bool(ip.to_string() == **text))
        }
        _ => Err(NoOverload),
    }
}

fn family<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::Ip(ip)] => Ok(Value::Int(if ip.is_ipv4() { 4 } else { 6 })),
        _ => Err(NoOverload),
    }
}

fn test<'a>(args: &[Value<'a>], holds: impl Fn(IpAddr) -> bool) -> Outcome<'a> {
    match args {
        [Value::Ip(ip)] => Ok(Value::Bool(holds(*ip))),
        _ => Err(NoOverload),
    }
}

fn is_unspecified<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    test(args, |ip| ip.is_unspecified())
}

fn is_loopback<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    test(args, |ip| ip.is_loopback())
}

fn is_global_unicast<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    test(args, |ip| {
        let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
        !broadcast && !ip.is_unspecified() && !ip.is_loopback() && !ip.is_multicast() && !link_local(ip)
    })
}

fn is_link_local_multicast<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    test(args, |ip| match ip {
        IpAddr::V4(v4) => v4.octets().starts_with(&[224, 0, 0]),
        IpAddr::V6(v6) => v6.segments().first().is_some_and(|first| first & 0xff0f == 0xff02),
    })
}

fn link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => Ipv6Addr::is_unicast_link_local(&v6),
    }
}

fn is_link_local_unicast<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    test(args, link_local)
}

fn contains_ip<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget)?;
    let (cidr, ip) = match args {
        [Value::Cidr(cidr), Value::Ip(ip)] => (cidr, *ip),
        [Value::Cidr(cidr), Value::String(text)] => (cidr, parse_ip(text).ok_or(Conversion)?),
        _ => return Err(NoOverload),
    };
    Ok(Value::Bool(cidr.contains(&ip)))
}

fn contains_cidr<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget)?;
    let (cidr, other) = match args {
        [Value::Cidr(cidr), Value::Cidr(other)] => (cidr, *other),
        [Value::Cidr(cidr), Value::String(text)] => (cidr, parse_cidr(text).ok_or(Conversion)?),
        _ => return Err(NoOverload),
    };
    Ok(Value::Bool(cidr.contains(&other)))
}

fn cidr_ip<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    of(args, |cidr| Value::Ip(cidr.addr()))
}

fn masked<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    of(args, |cidr| Value::Cidr(cidr.trunc()))
}

fn prefix_length<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    of(args, |cidr| Value::Int(i64::from(cidr.prefix_len())))
}

fn of<'a>(args: &[Value<'a>], part: impl Fn(&IpNet) -> Value<'a>) -> Result<Value<'a>, EvalErrorKind> {
    match args {
        [Value::Cidr(cidr)] => Ok(part(cidr)),
        _ => Err(NoOverload),
    }
}
