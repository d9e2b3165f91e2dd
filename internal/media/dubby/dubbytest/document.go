package dubbytest

// object is a part of a document.
type object = map[string]any

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

func fields(required []string, properties object) object {
	return object{"type": "object", "properties": properties, "required": required}
}

func content(schema object) object { return object{"application/json": object{"schema": schema}} }

// answers describes the answer of success and one error.
func answers(status string, schema object) object {
	success := object{"description": "Success"}
	if schema != nil {
		success["content"] = content(schema)
	}
	return object{status: success, "401": object{"description": "Unauthorized", "content": content(ref("Error"))}}
}

func body(schema object) object { return object{"required": true, "content": content(schema)} }

var (
	aText   = object{"type": "string"}
	aFlag   = object{"type": "boolean"}
	aNumber = object{"type": "integer"}
	someIDs = object{"type": "array", "items": aText}
	noText  = object{"anyOf": []any{aText, object{"type": "null"}}}
)

func words(words ...any) object { return object{"type": "string", "enum": words} }

// document describes the server as its options make it.
func (s *Server) document() any {
	document := object{
		"openapi": "3.1.0", "info": object{"title": "Dubby", "version": "0.1.0"},
		"paths": object{
			"/v1/libraries": object{
				"get":  object{"responses": answers("200", s.listOf("Library"))},
				"post": object{"requestBody": body(ref("NewLibrary")), "responses": answers("201", ref("Library"))},
			},
			"/v1/libraries/{id}": object{
				"parameters": []any{object{"$ref": "#/components/parameters/ID"}},
				"get":        object{"responses": answers("200", ref("Library"))},
				"patch":      object{"requestBody": body(ref("LibraryChange")), "responses": answers("200", ref("Library"))},
				"delete":     object{"responses": answers("200", object{"type": "object"})},
			},
			"/v1/users":        object{"get": object{"responses": answers("200", s.listOf("User"))}},
			"/v1/users/{id}":   s.userItem(),
			"/v1/invites":      s.invitesItem(),
			"/v1/invites/{id}": object{"delete": object{"responses": answers("204", nil)}},
			s.registerPath():   object{"post": s.registration()},
		},
		"components": object{"schemas": s.schemas(), "parameters": object{"ID": object{"name": "id", "in": "path", "required": true, "schema": aText}}},
	}
	paths := document["paths"].(object)
	if s.options.RoleRoute {
		paths["/v1/users/{id}/role"] = object{"patch": object{
			"requestBody": body(fields([]string{"role"}, object{"role": words("admin", "member", "guest")})), "responses": answers("200", ref("User")),
		}}
	}
	if !s.options.Bare {
		paths["/v1/users/{id}/password"] = object{"put": object{
			"requestBody": body(fields([]string{"newPassword"}, object{"newPassword": aText})), "responses": answers("204", nil),
		}}
	}
	if s.options.Document == nil {
		return document
	}
	if document = s.options.Document(document); document == nil {
		return nil
	}
	return document
}

// listOf describes a list in the envelope.
func (s *Server) listOf(name string) object {
	list := object{"type": "array", "items": ref(name)}
	switch s.options.Lists {
	case Array:
		return list
	case Boxed:
		return fields([]string{"data"}, object{"data": list, "pagination": fields(nil, object{"next_cursor": noText, "hasMore": aFlag})})
	case Odd:
		return fields([]string{"records"}, object{"records": list, "total": aNumber, "cursor": aText})
	}
	return fields([]string{"items"}, object{"items": list, "nextCursor": noText})
}

func (s *Server) registerPath() string {
	if s.options.BetterAuth {
		return "/api/auth/sign-up/email"
	}
	return "/v1/auth/register"
}

func (s *Server) registration() object {
	name := s.nameField()
	return object{
		"requestBody": body(fields([]string{"email", "password", name}, object{
			"email": aText, "password": aText, name: aText, "inviteCode": aText,
		})),
		"responses": answers("200", fields([]string{"token", "user"}, object{"token": aText, "user": ref("User")})),
	}
}

func (s *Server) userItem() object {
	item := object{}
	properties := object{}
	if !s.options.RoleRoute {
		properties["role"] = words("admin", "member", "guest")
	}
	if !s.options.Bare {
		properties["isActive"], properties[s.nameField()] = aFlag, aText
		item["get"] = object{"responses": answers("200", ref("User"))}
		item["delete"] = object{"responses": answers("204", nil)}
	}
	if len(properties) > 0 {
		item["patch"] = object{"requestBody": body(fields(nil, properties)), "responses": answers("200", ref("User"))}
	}
	return item
}

func (s *Server) invitesItem() object {
	request := object{"role": words("admin", "member", "guest"), "libraryIds": someIDs}
	if s.options.InviteDays {
		request["expiresInDays"] = aNumber
	} else {
		request["expiresAt"] = object{"type": "string", "format": "date-time"}
	}
	made := object{"allOf": []any{ref("Invite"), fields([]string{"code"}, object{"code": aText})}}
	return object{
		"get":  object{"responses": answers("200", s.listOf("Invite"))},
		"post": object{"requestBody": body(fields([]string{"role"}, request)), "responses": answers("201", made)},
	}
}

func (s *Server) schemas() object {
	var paths object = someIDs
	if s.options.PackedPaths {
		paths = aText
	}
	library := object{"name": aText, "type": words("movie", "tv", "podcast"), "paths": someIDs, "enabled": aFlag}
	return object{
		"Error": fields([]string{"error"}, object{"error": aText}),
		"User": fields([]string{"id", "email", "role"}, object{
			"id": aText, "email": aText, s.nameField(): object{"type": []any{"string", "null"}},
			"role": words("owner", "admin", "member", "guest"), "isActive": aFlag, "createdAt": aText, "lastLoginAt": noText,
		}),
		"Invite": fields([]string{"id"}, object{
			"id": aText, "role": aText, "libraryIds": someIDs, "expiresAt": object{"oneOf": []any{aText, object{"type": "null"}}}, "usedBy": noText,
		}),
		"Library": fields([]string{"id"}, object{
			"id": aText, "name": aText, "type": aText, "paths": paths, "enabled": aFlag, "itemCount": aNumber, "lastScannedAt": noText,
		}),
		"NewLibrary":    fields([]string{"name", "type", "paths"}, library),
		"LibraryChange": fields(nil, object{"name": aText, "paths": someIDs, "enabled": aFlag}),
	}
}
