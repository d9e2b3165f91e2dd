package httpapi

import (
	"time"

	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// Page is one page of a list.
type Page[T any] struct {
	Items      []T     `json:"items" nullable:"false"`
	NextCursor *string `json:"nextCursor" nullable:"true" doc:"Cursor of the next page; null on the last one"`
}

// pageOf converts a stored page entry by entry.
func pageOf[S, V any](list store.List[S], view func(S) V) *body[Page[V]] {
	items := make([]V, 0, len(list.Items))
	for _, item := range list.Items {
		items = append(items, view(item))
	}
	return &body[Page[V]]{Body: Page[V]{Items: items, NextCursor: nullable(list.Next)}}
}

// AccessEntry is one library in an access set.
type AccessEntry struct {
	LibraryID string            `json:"libraryId"`
	Role      rules.LibraryRole `json:"role,omitempty" enum:"viewer,admin" doc:"Absent: viewer"`
}

// Access is what is stored of a user's access. Owner and admin see everything by role, whatever is stored.
type Access struct {
	All       bool          `json:"all" doc:"Every library, future ones included"`
	Libraries []AccessEntry `json:"libraries" nullable:"false" maxItems:"5000"`
}

// User is an account as its administrators and its holder see it.
type User struct {
	ID                 string       `json:"id"`
	Username           string       `json:"username"`
	Email              *string      `json:"email" nullable:"true"`
	DisplayName        string       `json:"displayName"`
	Role               string       `json:"role" doc:"owner, admin, editor, member, guest, or the name of a role of the server's own"`
	Permissions        []rules.Pair `json:"permissions" nullable:"false" doc:"What the role allows"`
	Disabled           bool         `json:"disabled"`
	IsActive           bool         `json:"isActive" doc:"The opposite of disabled, in Dubby's word"`
	MustChangePassword bool         `json:"mustChangePassword"`
	PasswordChosen     bool         `json:"passwordChosen" doc:"The holder has changed the password since it was last given to them"`
	PasswordSetAt      *time.Time   `json:"passwordSetAt" nullable:"true" doc:"When the password was last set or changed; null where that was before the server kept it"`
	Access             Access       `json:"access"`
	CreatedAt          time.Time    `json:"createdAt"`
	LastSignInAt       *time.Time   `json:"lastSignInAt" nullable:"true"`
}

func userView(a *store.Account) User {
	entries := make([]AccessEntry, 0, len(a.Libraries))
	for _, p := range a.Libraries {
		entries = append(entries, AccessEntry{LibraryID: p.LibraryID, Role: p.Role})
	}
	return User{
		ID: a.ID, Username: a.Username, Email: nullable(a.Email), DisplayName: a.DisplayName, Role: a.RoleName(),
		Permissions: a.Actor().Pairs(), Disabled: a.Disabled, IsActive: !a.Disabled, MustChangePassword: a.MustChangePassword,
		PasswordChosen: a.PasswordChosen, PasswordSetAt: timeView(a.PasswordSetAt),
		Access:    Access{All: a.AccessAll, Libraries: entries},
		CreatedAt: a.CreatedAt.Time(), LastSignInAt: timeView(a.LastSignInAt),
	}
}

func timeView(i store.Instant) *time.Time {
	if i.IsZero() {
		return nil
	}
	t := i.Time()
	return &t
}

// Scan says how a library's latest scan went, or goes.
type Scan struct {
	State      store.ScanState `json:"state" enum:"idle,running,failed"`
	StartedAt  *time.Time      `json:"startedAt" nullable:"true"`
	FinishedAt *time.Time      `json:"finishedAt" nullable:"true"`
	Seen       int             `json:"seen" doc:"Media files that the scan that runs has seen so far"`
	Found      int             `json:"found" doc:"Media files found by the latest finished scan"`
	Skipped    int             `json:"skipped" doc:"Entries that are no media this server can show"`
	Message    string          `json:"message" doc:"What the scan has to say about skipped entries and failures"`
}

// Library is a named collection of directories.
type Library struct {
	ID              string            `json:"id"`
	Name            string            `json:"name"`
	Type            rules.LibraryType `json:"type" enum:"movies,shows,music,books,audiobooks,comics,podcasts,photos,mixed"`
	Paths           []string          `json:"paths" nullable:"false" doc:"Directories, as this server sees them; empty for who may not write to the library"`
	Emoji           *string           `json:"emoji" nullable:"true"`
	Personal        bool              `json:"personal" doc:"True: it is the caller's own library, which nobody else sees"`
	Role            rules.LibraryRole `json:"role" enum:"owner,admin,viewer" doc:"What the caller is in this library"`
	CanWrite        bool              `json:"canWrite" doc:"Whether the caller may change the library and its items"`
	SharingEnabled  bool              `json:"sharingEnabled" doc:"Whether public share links can be made and work"`
	FaceRecognition bool              `json:"faceRecognition" doc:"Kept for apps that recognise faces; this server does not"`
	ObjectDetection bool              `json:"objectDetection" doc:"Kept for apps that label what pictures show; this server does not"`
	ItemCount       int               `json:"itemCount"`
	TrashCount      int               `json:"trashCount"`
	CreatedAt       time.Time         `json:"createdAt"`
	UpdatedAt       time.Time         `json:"updatedAt"`
	Scan            Scan              `json:"scan"`
}

// libraryView shows a library, which was loaded for the account, to it. Where the files lie is for those who may write.
func libraryView(l *store.Library, account *store.Account) Library {
	in := l.In(account)
	view := Library{
		ID: l.ID, Name: l.Name, Type: l.Type, Paths: []string{}, Emoji: nullable(l.Emoji),
		Personal: l.Personal, Role: in.Role(), CanWrite: in.CheckWrite(rules.EditLibraries) == nil,
		SharingEnabled: l.SharingEnabled, FaceRecognition: l.FaceRecognition, ObjectDetection: l.ObjectDetection,
		ItemCount: l.ItemCount, TrashCount: l.TrashCount,
		CreatedAt: l.CreatedAt.Time(), UpdatedAt: l.UpdatedAt.Time(), Scan: scanView(l),
	}
	if view.CanWrite {
		view.Paths = append(view.Paths, l.Paths...)
	} else {
		view.Scan.Message = ""
	}
	return view
}

func scanView(l *store.Library) Scan {
	return Scan{
		State: l.ScanState, StartedAt: timeView(l.ScanStartedAt), FinishedAt: timeView(l.ScanFinishedAt),
		Seen: l.ScanSeen, Found: l.ScanFound, Skipped: l.ScanSkipped, Message: l.ScanMessage,
	}
}

// Permission says that a user may see a library.
type Permission struct {
	UserID      string            `json:"userId"`
	LibraryID   string            `json:"libraryId"`
	Username    string            `json:"username"`
	DisplayName string            `json:"displayName"`
	Role        rules.LibraryRole `json:"role" enum:"viewer,admin"`
	GrantedAt   time.Time         `json:"grantedAt"`
}

func permissionView(h store.Holder) Permission {
	return Permission{
		UserID: h.AccountID, LibraryID: h.LibraryID, Username: h.Username, DisplayName: h.DisplayName,
		Role: h.Role, GrantedAt: h.GrantedAt.Time(),
	}
}
