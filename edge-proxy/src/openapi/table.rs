//! The table of the API's routes, from which both the router and the description are built.
//!
//! Invariant: a handler gets a path only together with its description, so neither exists without the other. Pages
//! for people do not belong to the API, and are added without a description.

use super::Operation;
use crate::app::App;
use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use http::Method;

/// A path, a method, and what they do.
pub(crate) struct Described {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) operation: Operation,
}

/// Routes and their descriptions.
#[derive(Default)]
pub(crate) struct Routes {
    router: Router<App>,
    described: Vec<Described>,
}

/// A function that describes a route.
type Describe = fn() -> Operation;

impl Routes {
    pub(crate) fn get<T: 'static>(
        self,
        path: &'static str,
        handler: impl Handler<T, App>,
        describe: Describe,
    ) -> Self {
        self.on(Method::GET, path, handler, describe)
    }

    pub(crate) fn post<T: 'static>(
        self,
        path: &'static str,
        handler: impl Handler<T, App>,
        describe: Describe,
    ) -> Self {
        self.on(Method::POST, path, handler, describe)
    }

    pub(crate) fn patch<T: 'static>(
        self,
        path: &'static str,
        handler: impl Handler<T, App>,
        describe: Describe,
    ) -> Self {
        self.on(Method::PATCH, path, handler, describe)
    }

    pub(crate) fn delete<T: 'static>(
        self,
        path: &'static str,
        handler: impl Handler<T, App>,
        describe: Describe,
    ) -> Self {
        self.on(Method::DELETE, path, handler, describe)
    }

    /// For the methods that few paths have. `GET` has `HEAD` as well.
    pub(crate) fn on<T: 'static>(
        mut self,
        method: Method,
        path: &'static str,
        handler: impl Handler<T, App>,
        describe: Describe,
    ) -> Self {
        self.described.push(Described { method: method.clone(), path, operation: describe() });
        self.undescribed(method, path, handler)
    }

    /// A page for people, or another spelling of a described path.
    pub(crate) fn undescribed<T: 'static>(
        mut self,
        method: Method,
        path: &'static str,
        handler: impl Handler<T, App>,
    ) -> Self {
        // Only extension methods have no filter, and the API uses none.
        let filter = MethodFilter::try_from(method).unwrap_or(MethodFilter::GET);
        self.router = self.router.route(path, on(filter, handler));
        self
    }

    /// The routes of both.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.described.extend(other.described);
        self
    }

    /// Changes how the routes so far are handled.
    pub(crate) fn layered(mut self, layer: impl FnOnce(Router<App>) -> Router<App>) -> Self {
        self.router = layer(self.router);
        self
    }

    pub(crate) fn into_router(self) -> Router<App> {
        self.router
    }

    pub(crate) fn into_described(self) -> Vec<Described> {
        self.described
    }
}
