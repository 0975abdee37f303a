//! A bag as a request like the one that it is about.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use weir_attributes::{Bag, is_framing, slot};
use weir_policy::{Endpoint, HttpExchange};

use crate::{
    Failure,
    client::{PARTIAL_BODY, body},
};

/// The method, host and path of the request, `authorization`, the headers that are asked for (every line of them), and
/// those that are added.
pub(super) fn question(
    bag: &Bag,
    endpoint: &Endpoint,
    exchange: &HttpExchange,
) -> Result<Request<Full<Bytes>>, Failure> {
    let bad = |what: &str| Failure::BadQuestion(format!("{what} cannot be sent"));
    let text = |slot| bag.str(slot).unwrap_or_default();
    let path = text(slot::REQUEST_PATH);
    if !path.starts_with('/') {
        return Err(bad("a path that does not begin with a slash"));
    }
    let Endpoint { host, port, .. } = endpoint;
    let uri = format!("http://{host}:{port}{}{path}", exchange.path_prefix).parse::<Uri>();
    let method = Method::from_bytes(text(slot::REQUEST_METHOD).as_bytes()).map_err(|_| bad("its method"))?;
    let (body, partial) = body(endpoint, bag).unzip();
    let body = body.unwrap_or_default();
    let mut question = Request::new(Full::new(Bytes::copy_from_slice(body)));
    *question.method_mut() = method;
    *question.uri_mut() = uri.map_err(|_| bad("its path"))?;
    let headers = question.headers_mut();
    lines(bag, exchange, headers)?;
    let host = HeaderValue::from_str(text(slot::REQUEST_HOST)).map_err(|_| bad("its host"))?;
    headers.insert(header::HOST, host);
    // Said also of no body: a server may refuse a POST that does not tell.
    headers.insert(header::CONTENT_LENGTH, body.len().into());
    if let Some(partial) = partial {
        headers.insert(PARTIAL_BODY, HeaderValue::from_static(if partial { "true" } else { "false" }));
    }
    Ok(question)
}

fn lines(bag: &Bag, exchange: &HttpExchange, headers: &mut HeaderMap) -> Result<(), Failure> {
    let bad = |name: &str| Failure::BadQuestion(format!("its header {name:?} cannot be sent"));
    let parse = |name: &str, value: &str| {
        let name_of = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad(name))?;
        Ok::<_, Failure>((name_of, HeaderValue::from_str(value).map_err(|_| bad(name))?))
    };
    for (name, value) in bag.headers().iter() {
        let sent = name == "authorization" || exchange.sent.contains(name);
        if sent && !is_framing(name) && name != "host" {
            let (name, value) = parse(name, value)?;
            headers.append(name, value);
        }
    }
    for (name, value) in &exchange.added {
        let (name, value) = parse(name, value)?;
        headers.insert(name, value);
    }
    Ok(())
}
