// Package media is the driver kit: what a media server is to Usher, without Kubernetes.
//
// A Driver speaks one media server's wire and nothing else. A Server wraps a Driver and does once, for all of
// them, what would otherwise be done in each: deadlines, limits of concurrency, checks of what is asked and answered,
// error classes, one retry policy, metrics, a log line a call, and the Inventory that every reconcile compares with.
// Connections holds the Servers that are in use. docs/adding-a-media-server.md says how to write a driver; package
// drivertest proves these rules.
//
// # Driver rules
//
//	R1  A driver does no retries, keeps no global state and starts no goroutine that outlives a call or Close. A
//	    request that the server refused for a session that had ended (401) may be sent again.
//	R2  Every error carries one Code (see Errorf); what has none is taken as Unavailable. The text of an error
//	    holds no body of a server's answer, no URL query and no secret.
//	R3  A call returns within 100 ms of its context's end.
//	R4  List returns everything or an error: never a part. A 200 that is not the server's own format is an error.
//	R5  CreateAccount gives the account its final role and access before anybody can sign in with it, and never
//	    more access than asked, not for a moment. What the server adds by default is taken away first.
//	R6  SetAccess leaves exactly the wanted access, or an error; an error may leave less than wanted, never more
//	    than the union of before and wanted.
//	R7  Zero access means that the account sees no library. A driver whose server opens everything on an empty
//	    list closes that hole or refuses with Unsupported.
//	R8  A change leaves alone every field that it does not name.
//	R9  Names are matched as Traits.FoldUsername folds them; the server's own spelling is what is returned.
//	R10 A create that finds the natural key taken answers AlreadyExists and changes nothing.
//	R11 Capabilities are true both ways: what is claimed works, what is not claimed answers Unsupported.
//	R12 An answer that was lost after the request was sent is Ambiguous, not Unavailable, when the call writes. A call
//	    of several requests that fails after one of them has written may answer either. Made again, it comes to what
//	    was wanted.
//	R13 Passwords, tokens and invite codes appear in no error and no log line.
package media
