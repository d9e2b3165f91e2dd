package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
)

// aGrant is the grant to add by hand.
const aGrant = `apiVersion: usher.media/v1alpha1
kind: LibraryGrant
metadata:
  name: anime-for-grace
  namespace: media
spec:
  libraries:
    refs: [{name: anime}]
  users:
    refs: [{name: grace}]
`

// farewell says what runs, and what to try.
func (q *quickstart) farewell(ctx context.Context) {
	q.out.heading("Everything is running")
	grant := filepath.Join(q.dir, "anime-for-grace.yaml")
	if err := os.WriteFile(grant, []byte(aGrant), 0o644); err != nil {
		q.out.failed("%v", err)
	}
	q.out.say("  media server   %s (documentation: %s/docs)", q.serverURL, q.serverURL)
	q.out.say("  API server     %s", q.env.Config().Host)
	if friends, err := q.readLink(ctx, friends); err == nil {
		q.out.say("  an invite      %s (open it, and register)", friends.url)
	}
	q.out.say("  logs           %s", q.relative(q.logs))
	q.out.say("\nIn another terminal:\n\n  export KUBECONFIG=%s", q.kubeconfig())
	if _, err := exec.LookPath("kubectl"); err != nil {
		q.out.say("  export PATH=\"$PATH:%s\"   # kubectl", q.assets)
	}
	q.out.say(`
Four things to try:

  kubectl apply -f %s
      Anime for Grace. Within a second, kubectl -n media get user grace shows 3 libraries instead of 2.

  kubectl -n media label user grace group=family --overwrite
      Grace joins the family: the grant "family" gives her Kids Movies too, without another grant.

  kubectl -n media delete librarygrant anime
      Dave and Mia no longer see Anime; kubectl -n media get library anime counts who still does.

  kubectl -n media patch invite cousins --type=merge -p '{"spec":{"maxUses":3}}'
      One more cousin may come: kubectl -n media get invite cousins shows Pending instead of Exhausted.

A person's password:
  kubectl -n media get secret mia-credentials -o jsonpath='{.data.password}' | base64 -d

A link to send:
  kubectl -n media get secret friends-invite -o jsonpath='{.data.url}' | base64 -d

Ctrl-C stops everything. The next run begins anew.`, grant)
}
