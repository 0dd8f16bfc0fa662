//! A door's paths, once for the router and for the OpenAPI document, so that the two cannot differ.
//!
//! ```text
//! at("/flags/{flag}", [get(show, Said), patch(change, Said)]) --> axum's router: also HEAD, OPTIONS, 405 with `Allow`
//!                                                             '-> openapi::document
//! ```

use axum::Router;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};

use super::openapi::Said;
use super::problem::Refused;

/// One method of a path.
pub(super) struct Route<S> {
    method: Method,
    handler: MethodRouter<S>,
    said: Said,
}

/// A path's method as the document has it.
#[derive(Clone)]
pub(super) struct Described {
    /// The path, with its parameters in braces.
    pub(super) path: &'static str,
    /// The method.
    pub(super) method: Method,
    /// What is said of it.
    pub(super) said: Said,
}

/// The paths of a door.
pub(super) struct Routes<S> {
    router: Router<S>,
    described: Vec<Described>,
}

macro_rules! method {
    ($name:ident, $method:ident) => {
        #[doc = concat!("Answers ", stringify!($method), ".")]
        pub(super) fn $name<H, T, S>(handler: H, said: Said) -> Route<S>
        where
            H: Handler<T, S>,
            T: 'static,
            S: Clone + Send + Sync + 'static,
        {
            Route { method: Method::$method, handler: on(MethodFilter::$method, handler), said }
        }
    };
}

method!(get, GET);
method!(post, POST);
method!(patch, PATCH);
method!(delete, DELETE);

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No path yet.
    pub(super) fn new() -> Self {
        Self { router: Router::new(), described: Vec::new() }
    }

    /// One more path.
    pub(super) fn at(mut self, path: &'static str, routes: impl IntoIterator<Item = Route<S>>) -> Self {
        let mut methods = MethodRouter::new();
        let mut names: Vec<&'static str> = Vec::new();
        for Route { method, handler, said } in routes {
            methods = methods.merge(handler);
            names.extend(allowed(&method));
            self.described.push(Described { path, method, said });
        }
        names.push("OPTIONS");
        names.sort_unstable();
        let names = names.join(", ");
        // Other methods have no rule, so that they were refused before (`access`).
        self.router = self.router.route(path, methods.merge(on(MethodFilter::OPTIONS, move || options(names))));
        self
    }

    /// What the document says.
    pub(super) fn described(&self) -> &[Described] {
        &self.described
    }

    /// The router. Paths that it does not know are answered as problems.
    pub(super) fn router(self) -> Router<S> {
        self.router.fallback(async || Refused::unknown_path())
    }
}

/// The names of the methods that one stands for.
fn allowed(method: &Method) -> impl Iterator<Item = &'static str> {
    let name = match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "",
    };
    [name].into_iter().chain((*method == Method::GET).then_some("HEAD")).filter(|name| !name.is_empty())
}

async fn options(allowed: String) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().extend(HeaderValue::try_from(allowed).ok().map(|allowed| (header::ALLOW, allowed)));
    response
}
