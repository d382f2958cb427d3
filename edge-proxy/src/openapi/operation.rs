//! What one method of one path does: the words in which the functions of `described` speak.
//!
//! Invariant: every response that any request can get (a wrong token, too many requests, a database that does not respond) is
//! added here for all operations, so that a description names only what is special.

use super::components::{self, RETRY_AFTER, TOKEN, refusal};
use super::records::Error;
use crate::http::EVENT_STREAM;
use http::Method;
use std::collections::BTreeMap;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, KnownFormat, Ref, RefOr, Required};
use utoipa::{IntoParams, ToSchema};

pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;

/// The description of an operation.
pub(crate) struct Operation {
    tag: &'static str,
    id: &'static str,
    summary: &'static str,
    description: Option<&'static str>,
    /// The security schemes, any of which suffices. None: everybody may call it.
    security: Vec<&'static str>,
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    responses: BTreeMap<u16, RefOr<utoipa::openapi::Response>>,
    schemas: Schemas,
}

impl Operation {
    /// `id` is the name of the function in generated clients.
    pub(super) fn new(tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            tag,
            id,
            summary,
            description: None,
            security: vec![TOKEN],
            parameters: Vec::new(),
            body: None,
            responses: BTreeMap::new(),
            schemas: Vec::new(),
        }
    }

    pub(super) fn describe(mut self, text: &'static str) -> Self {
        self.description = Some(text);
        self
    }

    /// Everybody may call it.
    pub(super) fn without_token(mut self) -> Self {
        self.security.clear();
        self
    }

    /// A signed URL serves instead of a token.
    pub(super) fn or_signed(mut self) -> Self {
        self.security.push(components::SIGNED);
        self
    }

    /// The parameters of the query: the fields of the type that the handler reads.
    pub(super) fn query<T: IntoParams>(mut self) -> Self {
        let parameters = T::into_params(|| Some(ParameterIn::Query));
        self.parameters.extend(parameters.into_iter().map(never_null));
        self
    }

    pub(super) fn query_parameter(
        self,
        name: &str,
        description: &str,
        required: bool,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        self.parameter(ParameterIn::Query, name, description, required, schema)
    }

    /// A header of the request.
    pub(super) fn header(
        self,
        name: &str,
        description: &str,
        required: bool,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        self.parameter(ParameterIn::Header, name, description, required, schema)
    }

    fn parameter(
        mut self,
        place: ParameterIn,
        name: &str,
        description: &str,
        required: bool,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(if required { Required::True } else { Required::False })
            .description(Some(description))
            .schema(Some(schema));
        self.parameters.push(parameter.build());
        self
    }

    /// `Prefer: wait=N`.
    pub(super) fn prefers(self, description: &str) -> Self {
        let wait = ObjectBuilder::new().schema_type(Type::String).examples(["wait=20"]);
        self.header("Prefer", description, false, wait.build())
    }

    /// A JSON body, which the handler reads as `T`.
    pub(super) fn body<T: ToSchema>(self) -> Self {
        self.json_body::<T>(Required::True)
    }

    /// A JSON body that may be empty.
    pub(super) fn optional_body<T: ToSchema>(self) -> Self {
        self.json_body::<T>(Required::False)
    }

    fn json_body<T: ToSchema>(mut self, required: Required) -> Self {
        let content = ContentBuilder::new().schema(Some(self.reference::<T>())).build();
        self.body = Some(
            RequestBodyBuilder::new().required(Some(required)).content("application/json", content).build(),
        );
        self
    }

    /// A form with files, whose fields are those of `T`.
    pub(super) fn form<T: ToSchema>(mut self) -> Self {
        let form = self.reference::<T>();
        self.body_of(true, vec![("multipart/form-data", form)])
    }

    /// A body that is not JSON, with the schema of each of its types.
    pub(super) fn body_of(mut self, required: bool, types: Vec<(&str, RefOr<Schema>)>) -> Self {
        let required = if required { Required::True } else { Required::False };
        let mut body = RequestBodyBuilder::new().required(Some(required));
        for (media_type, schema) in types {
            body = body.content(media_type, ContentBuilder::new().schema(Some(schema)).build());
        }
        self.body = Some(body.build());
        self
    }

    /// A JSON response.
    pub(super) fn returns<T: ToSchema>(self, status: u16, description: &str) -> Self {
        self.returns_with::<T>(status, description, &[])
    }

    /// A JSON response with headers.
    pub(super) fn returns_with<T: ToSchema>(
        mut self,
        status: u16,
        description: &str,
        headers: &[&'static str],
    ) -> Self {
        let content = ContentBuilder::new().schema(Some(self.reference::<T>())).build();
        self.response(
            status,
            ResponseBuilder::new().description(description).content("application/json", content),
            headers,
        )
    }

    /// A response with a body of one of several types.
    pub(super) fn returns_types(
        self,
        status: u16,
        description: &str,
        types: Vec<(&str, RefOr<Schema>)>,
        headers: &[&'static str],
    ) -> Self {
        let mut response = ResponseBuilder::new().description(description);
        for (media_type, schema) in types {
            response = response.content(media_type, ContentBuilder::new().schema(Some(schema)).build());
        }
        self.response(status, response, headers)
    }

    /// A JSON response, or a stream of server-sent events.
    pub(super) fn follows<T: ToSchema>(mut self, status: u16, description: &str) -> Self {
        let event = ObjectBuilder::new().schema_type(Type::String).into();
        let types = vec![(EVENT_STREAM, event), ("application/json", self.reference::<T>())];
        self.returns_types(status, description, types, &[])
    }

    /// 404 with the time to ask again.
    pub(super) fn not_yet(mut self, description: &str) -> Self {
        let error = ContentBuilder::new().schema(Some(self.reference::<Error>())).build();
        let response = ResponseBuilder::new().description(description).content("application/json", error);
        self.response(404, response, &[RETRY_AFTER])
    }

    /// A response without a body.
    pub(super) fn returns_nothing(self, status: u16, description: &str, headers: &[&'static str]) -> Self {
        self.response(status, ResponseBuilder::new().description(description), headers)
    }

    fn response(mut self, status: u16, response: ResponseBuilder, headers: &[&'static str]) -> Self {
        let headers = headers.iter().chain(&components::EVERY_RESPONSE);
        let response = headers.fold(response, |response, name| {
            response.header_ref(*name, Ref::new(format!("#/components/headers/{name}")))
        });
        self.responses.insert(status, response.build().into());
        self
    }

    /// Errors that not every operation has.
    pub(super) fn refuses(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            self.responses.entry(*status).or_insert_with(|| refusal(*status));
        }
        self
    }

    /// A schema that the document has under its name, with those that it refers to.
    pub(super) fn reference<T: ToSchema>(&mut self) -> RefOr<Schema> {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(T::name()).into()
    }

    /// The operation of `method` and `path` for the document, and the schemas that it refers to.
    pub(super) fn build(self, method: &Method, path: &str) -> (utoipa::openapi::path::Operation, Schemas) {
        let has_body = self.body.is_some();
        let has_token = !self.security.is_empty();
        let mut statuses = vec![400, 403, 412, 429, 431, 500, 503];
        if has_token {
            statuses.push(401);
        }
        if path.contains('{') {
            statuses.push(404);
        }
        if has_body {
            statuses.extend([408, 413, 415]);
        }
        let operation = self.refuses(&statuses);
        let in_path = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters: Vec<_> = in_path.map(path_parameter).chain(operation.parameters).collect();
        let mut built = OperationBuilder::new()
            .tag(operation.tag)
            .operation_id(Some(operation.id))
            .summary(Some(operation.summary))
            .description(operation.description)
            .parameters((!parameters.is_empty()).then_some(parameters))
            .request_body(operation.body)
            .securities(Some(
                operation.security.iter().map(|scheme| SecurityRequirement::new(*scheme, [""; 0])),
            ));
        for (status, response) in operation.responses {
            // Clients receive no body with HEAD.
            let response = if method == Method::HEAD { components::without_body(response) } else { response };
            built = built.response(status.to_string(), response);
        }
        (built.build(), operation.schemas)
    }
}

/// A parameter in braces. Its name says what it is.
fn path_parameter(name: &str) -> Parameter {
    let (description, schema) = match name {
        "n" => (
            "A page or a version, counted from 1.",
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
                .minimum(Some(1))
                .maximum(Some(i32::MAX)),
        ),
        "user_id" => (
            "The subject of the user's token, percent-encoded.",
            ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)),
        ),
        _ => (
            "The id of the object in the path.",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))),
        ),
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(schema.build()))
        .build()
}

/// A parameter of a query can be omitted, but it cannot be null.
fn never_null(mut parameter: Parameter) -> Parameter {
    match &mut parameter.schema {
        Some(RefOr::T(Schema::Object(object))) => {
            if let SchemaType::Array(types) = &object.schema_type
                && let [only] = &*types.iter().filter(|kind| !is_null(kind)).cloned().collect::<Vec<_>>()
            {
                object.schema_type = SchemaType::Type(only.clone());
            }
        }
        Some(RefOr::T(Schema::OneOf(alternatives))) => {
            alternatives.items.retain(
                |item| !matches!(item, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null)),
            );
            if let [only] = &*alternatives.items {
                parameter.schema = Some(only.clone());
            }
        }
        _ => {}
    }
    parameter
}

fn is_null(kind: &Type) -> bool {
    *kind == Type::Null
}
