package api

import (
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

// takesOver are the kinds that take over what exists where the MediaServer says Always and they say nothing themselves.
var takesOver = map[string]struct {
	says string
	// never is what an object says that takes over nothing; harmless and decisive are fields that anybody may change, and
	// one that decides what is meant.
	never, harmless, decisive string
}{
	"Library": {
		"MediaServer home has adoptionPolicy Always, so that this Library may take over one that exists on the server: set its adoptionPolicy to Never.",
		`{adoptionPolicy: Never}`, `{deletionPolicy: Delete}`, `{displayName: Private}`,
	},
	"User": {
		"MediaServer home has adoptionPolicy Always, so that this User may take over an account that is in use: set its adoptionPolicy to IfDisabled or Never.",
		`{adoptionPolicy: IfDisabled}`, `{deletionPolicy: Delete, displayName: Mia, disabled: true}`, `{email: boss@example.org}`,
	},
}

// takingServer makes the MediaServer home, which takes over what exists, and waits until the policies know it.
func takingServer(t *testing.T, namespace string) {
	t.Helper()
	env := testenv.Get(t)
	if err := strict(env.Client()).Create(t.Context(), manifest(t, "MediaServer", namespace, "home", `{adoptionPolicy: Always, mediaRoots: [/media]}`)); err != nil {
		t.Fatal(err)
	}
	editor := env.User(t, "taking-"+namespace, namespace, "usher-editor").Client(t)
	testenv.Eventually(t, "the policies know the MediaServer", func() bool {
		return tryCreate(t.Context(), editor, manifest(t, "Library", namespace, "x", `{}`)) != nil
	})
}

// TestAServerThatTakesOver: under a MediaServer with adoptionPolicy Always, a User or Library that sets none may take over
// what exists, which needs permission.
func TestAServerThatTakesOver(t *testing.T) {
	who := meet(t)
	takingServer(t, who.namespace)
	for kind, of := range takesOver {
		t.Run(kind, func(t *testing.T) {
			mustSay(t, tryCreate(t.Context(), who.editor, manifest(t, kind, who.namespace, "x", `{}`)), of.says)
			mustSay(t, tryCreate(t.Context(), who.editor, manifest(t, kind, who.namespace, "x", `{serverRef: {name: cabin}}`)), "")
			mustSay(t, tryCreate(t.Context(), who.administrator, manifest(t, kind, who.namespace, "x", `{}`)), "")

			object := manifest(t, kind, who.namespace, "taking", of.never)
			mustSay(t, strict(who.editor).Create(t.Context(), object), "")
			change := func(fields string) error {
				changed := object.DeepCopy()
				merge(spec(changed), parse(t, fields))
				return strictDry(who.editor).Update(t.Context(), changed)
			}
			mustSay(t, change(of.decisive), "")
			mustSay(t, change(`{adoptionPolicy: null}`), of.says)
			if err := strict(who.admin).Get(t.Context(), keyOf(object), object); err != nil {
				t.Fatal(err)
			}
			delete(spec(object), "adoptionPolicy")
			if err := strict(who.admin).Update(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			mustSay(t, change(of.harmless), "")
			mustSay(t, change(of.decisive), of.says)
			mustSay(t, change(of.never), "")
		})
	}
}
