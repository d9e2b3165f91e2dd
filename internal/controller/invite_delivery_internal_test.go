package controller

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// TestDeliveryIsDecidedOnce: who counts the uses is decided with the first link, and neither what the server learns to do later
// nor a change of the Invite moves the count.
func TestDeliveryIsDecidedOnce(t *testing.T) {
	t.Parallel()
	const auto, native, portal = v1alpha1.DeliveryAuto, v1alpha1.DeliveryNative, v1alpha1.DeliveryPortal
	here, elsewhere := record{Server: "here"}, record{Server: "elsewhere", Delivery: native, CodeHash: "x"}
	decided := func(d v1alpha1.InviteDelivery) record { return record{Server: "here", Delivery: d} }
	for name, c := range map[string]struct {
		asked   v1alpha1.InviteDelivery
		offers  int
		exact   bool
		record  record
		status  v1alpha1.InviteDelivery
		want    v1alpha1.InviteDelivery
		problem string
	}{
		"undecided, the server counts exactly":  {auto, 1, true, record{}, "", native, ""},
		"undecided, the server does not":        {auto, 1, false, here, "", portal, ""},
		"undecided, asked for":                  {native, 1, false, record{}, "", native, ""},
		"undecided, pages asked for":            {portal, 1, true, record{}, "", portal, ""},
		"undecided, several":                    {auto, 2, true, record{}, "", portal, v1alpha1.ReasonUnsupported},
		"the server learned to count":           {auto, 1, true, decided(portal), "", portal, ""},
		"the server forgot how to count":        {auto, 1, false, decided(native), "", native, ""},
		"a link from before it was recorded":    {auto, 1, false, record{Server: "here", CodeHash: "x"}, "", native, ""},
		"a weak link from before that":          {auto, 1, false, record{Server: "here", ID: "7"}, "", native, ""},
		"the record is lost":                    {auto, 1, true, record{}, portal, portal, ""},
		"a link on another server":              {auto, 1, false, elsewhere, native, portal, ""},
		"pages asked for after a native link":   {portal, 1, true, decided(native), "", native, v1alpha1.ReasonInvalidSpec},
		"several after a native link":           {auto, 2, true, decided(native), "", native, v1alpha1.ReasonInvalidSpec},
		"a native link asked for after pages":   {native, 1, true, decided(portal), "", portal, v1alpha1.ReasonInvalidSpec},
		"written before there were offers":      {auto, 0, true, decided(native), "", native, v1alpha1.ReasonInvalidSpec},
		"never linked, from before the offers":  {auto, 0, true, record{}, "", native, v1alpha1.ReasonInvalidSpec},
		"several, by pages that came meanwhile": {auto, 2, true, decided(portal), "", portal, v1alpha1.ReasonUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			invite := &v1alpha1.Invite{ObjectMeta: metav1.ObjectMeta{Name: "cousins", Namespace: "media"}}
			invite.Spec.Delivery, invite.Spec.Offers = c.asked, make([]v1alpha1.InviteOffer, c.offers)
			if !c.record.same(record{}) {
				if err := c.record.into(invite); err != nil {
					t.Fatal(err)
				}
			}
			p := &invitePass{invite: invite, status: &v1alpha1.InviteStatus{Delivery: c.status}, offer: onlyOffer(invite)}
			p.server = &v1alpha1.MediaServer{}
			p.connection.Probe = media.Probe{Identity: "here", Capabilities: media.Capabilities{Invites: c.exact}}
			if got := p.delivery(); got != c.want {
				t.Errorf("delivery %s, want %s", got, c.want)
			}
			problem := p.offersProblem()
			switch {
			case c.problem == "" && problem != nil:
				t.Errorf("refused: %s", problem.message)
			case c.problem != "" && (problem == nil || problem.reason != c.problem):
				t.Errorf("the problem is %+v, want %s", problem, c.problem)
			case problem != nil && !strings.Contains(problem.message, "Invite") && !strings.Contains(problem.message, "put them back"):
				t.Errorf("the message names no way out: %s", problem.message)
			}
		})
	}
}
