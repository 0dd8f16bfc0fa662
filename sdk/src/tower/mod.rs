//! A layer that pins user and flags to a request: all that a request asks is answered by one snapshot, whatever arrives meanwhile.
//!
//! ```text
//! request --FlagsLayer: who is it? pin--> request + extension RequestFlags --> handler: flags.is_enabled("telehealth")
//! ```

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Request;
use http::request::Parts;
use tower_layer::Layer;
use tower_service::Service;

use crate::context::Subject;
use crate::flags::{Flags, Pinned};
use crate::name::Name;
use crate::value::{Evaluation, Resolved};

/// Puts a [`RequestFlags`] into the extensions of every request.
///
/// With axum a handler takes it as `Extension<RequestFlags>`:
///
/// ```
/// use axum::{Extension, Router, routing::get};
/// use http::request::Parts;
/// use teal_flags::testing::TestFlags;
/// use teal_flags::tower::{FlagsLayer, RequestFlags};
///
/// async fn visit(Extension(flags): Extension<RequestFlags>) -> &'static str {
///     if flags.is_enabled("telehealth") { "by video" } else { "at the clinic" }
/// }
///
/// // Only what your own authentication vouches for, never what a client says it is.
/// fn user(parts: &Parts) -> Option<String> {
///     parts.extensions.get::<String>().cloned()
/// }
///
/// let flags = TestFlags::new().on("telehealth").into_flags();
/// let app: Router = Router::new().route("/visit", get(visit)).layer(FlagsLayer::new(flags, user));
/// # let _ = app;
/// ```
#[derive(Clone)]
pub struct FlagsLayer<F> {
    flags: Flags,
    user: F,
}

impl<F> FlagsLayer<F> {
    /// With these flags, for the user that this function finds: an id, or any [`Subject`] with attributes. `None`: nobody is
    /// known, and what is rolled out to a share of users takes the default.
    pub fn new<U>(flags: Flags, user: F) -> Self
    where
        F: Fn(&Parts) -> Option<U>,
    {
        Self { flags, user }
    }
}

impl<F> fmt::Debug for FlagsLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlagsLayer").finish_non_exhaustive()
    }
}

impl<S, F: Clone> Layer<S> for FlagsLayer<F> {
    type Service = FlagsService<S, F>;

    fn layer(&self, inner: S) -> Self::Service {
        FlagsService { inner, layer: self.clone() }
    }
}

/// A service behind a [`FlagsLayer`].
#[derive(Clone, Debug)]
pub struct FlagsService<S, F> {
    inner: S,
    layer: FlagsLayer<F>,
}

impl<S, F, U, B> Service<Request<B>> for FlagsService<S, F>
where
    S: Service<Request<B>>,
    F: Fn(&Parts) -> Option<U>,
    U: Subject + Send + Sync + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        let (mut parts, body) = request.into_parts();
        let user = (self.layer.user)(&parts);
        parts.extensions.insert(RequestFlags::new(self.layer.flags.pin(), user));
        self.inner.call(Request::from_parts(parts, body))
    }
}

/// The flags of a request: a user, and one snapshot for as long as this lives. Cheap to clone. Answers are counted.
#[derive(Clone)]
pub struct RequestFlags(Arc<Asked<dyn Subject + Send + Sync>>);

struct Asked<U: ?Sized> {
    flags: Pinned,
    user: U,
}

impl fmt::Debug for RequestFlags {
    /// Without the user, who is nobody's business in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestFlags").finish_non_exhaustive()
    }
}

impl RequestFlags {
    /// Made by the layer; also for what is no HTTP request, and for tests of handlers.
    pub fn new(flags: Pinned, user: impl Subject + Send + Sync + 'static) -> Self {
        Self(Arc::new(Asked { flags, user }))
    }

    /// The flags, for questions about somebody else.
    #[must_use]
    pub fn pinned(&self) -> &Pinned {
        &self.0.flags
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> &(dyn Subject + Send + Sync) {
        &self.0.user
    }

    /// As [`Flags::is_enabled`].
    pub fn is_enabled(&self, flag: impl Name) -> bool {
        self.pinned().is_enabled(self.user(), flag)
    }

    /// As [`Flags::is_enabled_or`].
    pub fn is_enabled_or(&self, flag: impl Name, default: bool) -> bool {
        self.pinned().is_enabled_or(self.user(), flag, default)
    }

    /// As [`Flags::evaluate`].
    pub fn evaluate(&self, flag: impl Name) -> Evaluation {
        self.pinned().evaluate(self.user(), flag)
    }

    /// As [`Flags::bool`].
    pub fn bool(&self, flag: impl Name, default: bool) -> Resolved<bool> {
        self.pinned().bool(self.user(), flag, default)
    }

    /// As [`Flags::text`].
    pub fn text(&self, flag: impl Name, default: impl Into<Arc<str>>) -> Resolved<Arc<str>> {
        self.pinned().text(self.user(), flag, default)
    }

    /// As [`Flags::integer`].
    pub fn integer(&self, flag: impl Name, default: i64) -> Resolved<i64> {
        self.pinned().integer(self.user(), flag, default)
    }

    /// As [`Flags::float`].
    pub fn float(&self, flag: impl Name, default: f64) -> Resolved<f64> {
        self.pinned().float(self.user(), flag, default)
    }

    /// As [`Flags::json`].
    pub fn json(&self, flag: impl Name, default: serde_json::Value) -> Resolved<serde_json::Value> {
        self.pinned().json(self.user(), flag, default)
    }
}
