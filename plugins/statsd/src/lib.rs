//! Counts and times requests for StatsD or DogStatsD.

mod line;

use std::collections::BTreeMap;

use serde::Deserialize;
use weir::{Cell, Configure, Failure, Rows, bindings, emit};

use line::{Datagram, Type};

const SINK: &str = "statsd";

#[derive(Deserialize)]
#[serde(default)]
struct Config {
    prefix: String,
    dialect: Dialect,
    tags: BTreeMap<String, String>,
    metrics: Vec<Metric>,
}

impl Default for Config {
    fn default() -> Self {
        Config { prefix: "weir.".to_owned(), dialect: Dialect::Statsd, tags: BTreeMap::new(), metrics: usual() }
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Dialect {
    Statsd,
    Dogstatsd,
}

#[derive(Deserialize)]
struct Metric {
    name: String,
    #[serde(rename = "type")]
    ty: Type,
    value: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

fn usual() -> Vec<Metric> {
    let tags = || ["code", "workload", "namespace"].map(|name| (name.to_owned(), name.to_owned())).into();
    let metric = |name: &str, ty, value: Option<&str>| Metric {
        name: name.to_owned(),
        ty,
        value: value.map(str::to_owned),
        tags: tags(),
    };
    vec![
        metric("requests", Type::Counter, None),
        metric("request_duration", Type::Timer, Some("duration")),
        metric("request_bytes", Type::Histogram, Some("size")),
        metric("response_bytes", Type::Histogram, Some("response_size")),
    ]
}

/// What a metric reads of a request.
#[derive(Clone, Copy)]
enum Source {
    Method,
    Duration,
    Size,
    Code,
    ResponseSize,
    Workload,
    Namespace,
    Decision,
    Bound(usize),
}

impl Source {
    fn named(name: &str) -> Result<Source, Failure> {
        if let Some(number) = bindings().iter().position(|binding| binding.name == name) {
            return Ok(Source::Bound(number));
        }
        Ok(match name {
            "method" => Source::Method,
            "duration" => Source::Duration,
            "size" => Source::Size,
            "code" => Source::Code,
            "response_size" => Source::ResponseSize,
            "workload" => Source::Workload,
            "namespace" => Source::Namespace,
            "decision" => Source::Decision,
            _ => {
                let known = "method, duration, size, code, response_size, workload, namespace, decision";
                return Err(Failure::InvalidInput(format!("{name} is no binding of the Adapter and none of {known}")));
            }
        })
    }

    fn of<'a>(self, row: &Inputs<'a>) -> Option<Cell<'a>> {
        match self {
            Source::Method => row.request_method.map(Cell::Text),
            Source::Duration => row.request_duration.map(Cell::Duration),
            Source::Size => row.request_size.map(Cell::Int),
            Source::Code => row.response_code.map(Cell::Int),
            Source::ResponseSize => row.response_size.map(Cell::Int),
            Source::Workload => row.destination_workload.map(Cell::Text),
            Source::Namespace => row.destination_namespace.map(Cell::Text),
            Source::Decision => row.check_decision.map(Cell::Text),
            Source::Bound(number) => row.bound.at(number),
        }
    }
}

struct Statsd {
    prefix: String,
    dialect: Dialect,
    /// `,a:b` for each fixed tag, in DogStatsD.
    fixed: String,
    metrics: Vec<Planned>,
}

struct Planned {
    name: String,
    ty: Type,
    value: Option<Source>,
    tags: Vec<(String, Source)>,
}

impl Configure for Statsd {
    fn configure(json: &str) -> Result<Self, Failure> {
        let config = Config::configure(json)?;
        if config.dialect == Dialect::Statsd && !config.tags.is_empty() {
            return Err(Failure::InvalidInput("fixed tags need the dialect dogstatsd; write them into prefix".into()));
        }
        let planned = |metric: Metric| {
            let tags = metric.tags.into_iter().map(|(tag, source)| Ok((line::clean(&tag), Source::named(&source)?)));
            Ok(Planned {
                name: metric.name,
                ty: metric.ty,
                value: metric.value.as_deref().map(Source::named).transpose()?,
                tags: tags.collect::<Result<_, Failure>>()?,
            })
        };
        let fixed = config.tags.iter().map(|(tag, value)| format!(",{}:{}", line::clean(tag), line::clean(value)));
        Ok(Statsd {
            prefix: config.prefix,
            dialect: config.dialect,
            fixed: fixed.collect(),
            metrics: config.metrics.into_iter().map(planned).collect::<Result<_, Failure>>()?,
        })
    }
}

#[weir::report]
fn report(rows: Rows<'_, Inputs<'_>>, statsd: &Statsd) -> Result<(), Failure> {
    let mut datagram = Datagram::default();
    for row in rows {
        for metric in &statsd.metrics {
            // A value that this request does not have is not measured.
            let value = match metric.value {
                None => Some("1".to_owned()),
                Some(source) => source.of(&row).and_then(|cell| line::value(metric.ty, cell)),
            };
            let Some(value) = value else { continue };
            if let Some(full) = datagram.add(&statsd.line(metric, &value, &row)) {
                emit(SINK, &full)?;
            }
        }
    }
    if let Some(rest) = datagram.take() {
        emit(SINK, &rest)?;
    }
    Ok(())
}

impl Statsd {
    fn line(&self, metric: &Planned, value: &str, row: &Inputs<'_>) -> String {
        let tag = |source: Source| source.of(row).map_or_else(|| "unknown".to_owned(), line::tag);
        let (prefix, name, ty) = (&self.prefix, &metric.name, metric.ty.letter());
        match self.dialect {
            Dialect::Statsd => {
                let parts: String =
                    metric.tags.iter().map(|(_, source)| format!(".{}", tag(*source).replace('.', "_"))).collect();
                format!("{prefix}{name}{parts}:{value}|{ty}")
            }
            Dialect::Dogstatsd => {
                let tags = metric.tags.iter().map(|(name, source)| format!(",{name}:{}", tag(*source)));
                let tags = self.fixed.clone() + &tags.collect::<String>();
                match tags.strip_prefix(',') {
                    Some(tags) => format!("{prefix}{name}:{value}|{ty}|#{tags}"),
                    None => format!("{prefix}{name}:{value}|{ty}"),
                }
            }
        }
    }
}
