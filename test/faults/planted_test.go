package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

// plant is a bug of one class that these tests are there to find: a text in a file of ours, and what is put in its
// place; and what the file must import for it.
type plant struct {
	name, file, from, to, imports string
	// pkg and run name the tests that must find it; says is what one of them says then.
	pkg, run, says string
}

var plants = []plant{
	{
		name: "the reservation is released too early",
		file: "internal/redeem/engine.go",
		from: "	if err := e.admit(ctx, mine, account, request, server); err != nil {\n		return Receipt{}, err\n	}",
		to:   "	if err := e.admit(ctx, mine, account, request, server); err != nil {\n		return Receipt{}, errors.Join(err, e.giveBack(ctx, mine))\n	}",
		pkg:  "./internal/redeem", run: "TestAPlaceIsKept$", says: "--- FAIL: TestAPlaceIsKept",
	},
	{
		name: "the password comes before the access",
		file: "internal/controller/user_create.go",
		from: "	if !account.Access.Equal(desired) {\n",
		to: "	if want, o := r.wantedPassword(ctx, p); o == nil {\n		_ = r.deliverPassword(ctx, p, want, true)\n	}\n" +
			"	if !account.Access.Equal(desired) {\n",
		pkg: "./test/faults", run: "TestThePasswordComesLast$/die_after", says: "can sign in while",
	},
	{
		name: "an account is taken for ours without a proof",
		file: "internal/controller/user_proof.go",
		from: "	ours, o := r.tryPasswords(ctx, p, account, passwords)\n",
		to:   "	ours, o := true, (*outcome)(nil)\n",
		pkg:  "./internal/controller", run: "TestAStrangerWhoTookTheNameFirstIsNotOurs$", says: "--- FAIL: TestAStrangerWhoTookTheNameFirstIsNotOurs",
	},
	{
		name: "a short list is trusted",
		file: "internal/controller/user_recorded.go",
		from: "	case !p.settledIntent(p.record), !p.inventory().AccountAbsent(id, p.connection.Opened):\n		return access.RecordedMissing, nil\n	}\n",
		to:   "	default:\n		return access.RecordedAbsent, nil\n	}\n",
		pkg:  "./internal/controller", run: "TestHalfAListDestroysNothing$", says: "--- FAIL: TestHalfAListDestroysNothing",
	},
	{
		name: "a list that was begun before a write is trusted",
		file: "internal/media/table.go",
		from: "		if t.removed[id] > sequence || t.entries[id].written > sequence {\n",
		to:   "		if false {\n",
		pkg:  "./internal/media", run: "TestAListingBegunBeforeAWriteDoesNotUndoIt$", says: "--- FAIL",
	},
	{
		name: "an old cache is trusted",
		file: "internal/controller/letgo.go",
		from: "	if live.GetUID() != object.GetUID() || live.GetResourceVersion() != object.GetResourceVersion() {\n",
		to:   "	if false {\n",
		pkg:  "./test/faults", run: "TestAnOldCacheAtTheStart$/a_grant_gave.*stale=true", says: "--- FAIL: TestAnOldCacheAtTheStart",
	},
	{
		name: "access is written from the grant",
		file: "internal/controller/librarygrant_controller.go", imports: "github.com/usher-media/usher/internal/media",
		from: "	edges := p.countEdges()\n",
		to: `	for i := range p.users {
		s := p.sites[p.users[i].Spec.ServerRef.Name]
		if s.connection.Server == nil || readRecord(&p.users[i], s.identity()).ID == "" {
			continue
		}
		want := media.Access{Libraries: map[media.LibraryID]media.LibraryRole{}}
		for j := range p.libraries {
			want.Libraries[libraryID(&p.libraries[j], s.identity())] = media.LibraryViewer
		}
		key := media.AccountKey{ID: media.AccountID(readRecord(&p.users[i], s.identity()).ID), Username: p.users[i].Spec.Username}
		_, _, _ = s.to().SetAccess(ctx, key, func(media.Account) media.Access { return want })
	}
	edges := p.countEdges()
`,
		pkg: "./test/faults", run: "TestEveryWriteCanFail$/^grant$/refuse_1$", says: "--- FAIL: TestEveryWriteCanFail",
	},
	{
		name: "the role goes before the list is right",
		file: "internal/access/plan/sync.go",
		from: "		d.add(Step{Action: SetAccess, Access: s.Target, Optional: true, Reason: d.accessReasons(d.Target)})\n",
		to:   "",
		pkg:  "./internal/controller", run: "TestARoleChangeNeverShowsWhatAnEarlierListHolds$", says: "there was a moment with",
	},
	{
		name: "an id is enough to know an account by",
		file: "internal/controller/user_recorded.go",
		from: "	case found && p.hasName(account) && (!p.differs(account) || p.confirmed(p.record.ID)):\n",
		to:   "	case found:\n",
		pkg:  "./internal/controller", run: "TestAStrangerWhoHasTheIDNowKeepsEverything$/^the_grant_is_deleted,_looked=true", says: "--- FAIL: TestAStrangerWhoHasTheIDNowKeepsEverything",
	},
	{
		name: "several that change at one look are taken for renamed",
		file: "internal/controller/user_doubt.go",
		from: "	if p.restored = changed > 1; p.restored {\n",
		to:   "	if p.restored = changed < 0; p.restored {\n",
		pkg:  "./internal/controller", run: "TestSeveralThatChangeAtOneLookAreInDoubt$", says: "--- FAIL: TestSeveralThatChangeAtOneLookAreInDoubt",
	},
	{
		name: "a lost record is not missed",
		file: "internal/controller/user_lost.go",
		from: "	if !p.lostRecord() || p.observing() {\n",
		to:   "	if p.lostRecord() || p.observing() {\n",
		pkg:  "./internal/controller", run: "TestALostRecordIsMadeAgain$/password_generated", says: "--- FAIL: TestALostRecordIsMadeAgain",
	},
	{
		name: "a forgotten annotation leaves the brake off for good",
		file: "internal/access/brake.go",
		from: " && at.Before(now.Add(24*time.Hour))\n",
		to:   "\n",
		pkg:  "./internal/access", run: "TestTheBrakeIsLetGoForADayAtMost$", says: "--- FAIL: TestTheBrakeIsLetGoForADayAtMost",
	},
	{
		name: "a deletion is believed on the word of a cache",
		file: "internal/controller/letgo.go",
		from: "	if live.GetUID() == object.GetUID() && !live.GetDeletionTimestamp().IsZero() {\n",
		to:   "	if true {\n",
		pkg:  "./internal/controller", run: "TestNothingIsDoneOnTheWordOfAnOldCache$", says: "--- FAIL: TestNothingIsDoneOnTheWordOfAnOldCache",
	},
	{
		name: "an account is taken for complete without its conditions",
		file: "internal/redeem/admit.go",
		from: "	return condition != nil && condition.Status == \"True\" && condition.ObservedGeneration == user.Generation &&\n		user.Status.ExternalID != \"\" && user.Status.State == v1alpha1.UserActive\n",
		to:   "	return condition != nil && user.Status.ExternalID != \"\" && user.Status.State == v1alpha1.UserActive\n",
		pkg:  "./internal/redeem", run: "TestReadyNeedsEverything$", says: "--- FAIL: TestReadyNeedsEverything",
	},
	{
		name: "who came by a link is taken by what a label is not",
		file: "internal/access/invited.go",
		from: "	return m.includeInvited || !Invited(user) ||",
		to:   "	return m.bySelector(user) || m.includeInvited || !Invited(user) ||",
		pkg:  "./internal/access", run: "TestWhoCameByALinkIsTakenOnlyByWhatIsSaid$", says: "--- FAIL: TestWhoCameByALinkIsTakenOnlyByWhatIsSaid",
	},
	{
		name: "an account that somebody disabled is resurrected",
		file: "internal/access/account.go",
		from: "	case isDisabled && byUsher:\n",
		to:   "	case isDisabled:\n",
		pkg:  "./internal/controller", run: "TestDisabledAndExpired$", says: "--- FAIL: TestDisabledAndExpired",
	},
	{
		name: "what another key made is made anew at once",
		file: "internal/controller/user_password.go",
		from: "		return false, r.underAnotherKey(ctx, p)\n",
		to:   "		return true, nil\n",
		pkg:  "./test/faults", run: "TestRebuilds$/keys", says: "was changed, which nobody asked for",
	},
}

// TestPlantedBugsAreFound builds each bug in, and wants the tests to fail.
func TestPlantedBugsAreFound(t *testing.T) {
	t.Parallel()
	if !full() {
		t.Skip("each bug takes a build of its own: make faults runs this")
	}
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "KUBEBUILDER_ASSETS="+testenv.Get(t).Assets, "USHER_FAULTS=full")
	for _, p := range plants {
		t.Run(name(p.name), func(t *testing.T) {
			command := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-failfast", "-timeout=5m", "-overlay="+p.overlay(t, root), "-run="+p.run, p.pkg)
			command.Dir, command.Env = root, env
			out, err := command.CombinedOutput()
			switch {
			case err == nil:
				t.Errorf("nobody found it: %s", out)
			case strings.Contains(string(out), "[build failed]"), !strings.Contains(string(out), p.says):
				t.Errorf("failed otherwise than by finding it: %v: %s", err, out)
			}
		})
	}
}

// TestPlantsFit: each bug still finds the text that it replaces, and the tests that are to find it are there.
func TestPlantsFit(t *testing.T) {
	t.Parallel()
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plants {
		if problem := p.misfit(root); problem != "" {
			t.Errorf("%s: %s: adapt the plant", p.name, problem)
		}
	}
}

// misfit says why a bug cannot be planted, or would be found by nobody; empty when it can.
func (p plant) misfit(root string) string {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(p.file)))
	if err != nil {
		return err.Error()
	}
	if n := strings.Count(string(text), p.from); n != 1 {
		return fmt.Sprintf("%s holds the text that it replaces %d times", p.file, n)
	}
	test, _, _ := strings.Cut(strings.TrimPrefix(p.run, "^"), "$")
	files, _ := filepath.Glob(filepath.Join(root, filepath.FromSlash(p.pkg), "*_test.go"))
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), "func "+test+"(") {
			return ""
		}
	}
	return "there is no " + test + " in " + p.pkg
}

// overlay writes what tells `go` to read the file with the bug in its place.
func (p plant) overlay(t *testing.T, root string) string {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(p.file))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if problem := p.misfit(root); problem != "" {
		t.Fatalf("%s: adapt the plant", problem)
	}
	dir := t.TempDir()
	planted := filepath.Join(dir, filepath.Base(p.file))
	bad := strings.Replace(string(text), p.from, p.to, 1)
	if p.imports != "" {
		bad = strings.Replace(bad, "import (\n", "import (\n	"+strconv.Quote(p.imports)+"\n", 1)
	}
	if err := os.WriteFile(planted, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, _ := json.Marshal(map[string]map[string]string{"Replace": {path: planted}})
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
