package controller

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// collectTimeout bounds one scrape. It reads the cache only.
const collectTimeout = 5 * time.Second

var (
	objectsDesc = prometheus.NewDesc("usher_objects",
		"Objects by kind, state and whether they are Ready (True, False, Unknown).", []string{"kind", "state", "ready"}, nil)
	serverUpDesc = prometheus.NewDesc("usher_media_server_up",
		"1 when the MediaServer (namespace/name) was reached, and is who it should be, at the last look.", []string{"media_server"}, nil)
	serverListedDesc = prometheus.NewDesc("usher_media_server_last_listed_timestamp_seconds",
		"When the last complete listing of the MediaServer was begun, in seconds since 1970; 0 when none was since this replica acts.", []string{"media_server"}, nil)
	serverIntervalDesc = prometheus.NewDesc("usher_media_server_sync_interval_seconds",
		"How often the MediaServer is to be listed.", []string{"media_server"}, nil)
	undeclaredDesc = prometheus.NewDesc("usher_undeclared",
		"Accounts and libraries that the MediaServer (namespace/name) has and no manifest names, by kind.", []string{"media_server", "kind"}, nil)
	undeclaredEnabledDesc = prometheus.NewDesc("usher_undeclared_enabled_accounts",
		"Accounts that the MediaServer (namespace/name) has, no manifest names and nobody has disabled.", []string{"media_server"}, nil)
	sharedDesc = prometheus.NewDesc("usher_media_server_identity_shared",
		"1 for each two MediaServers (namespace/name) that lead to one server.", []string{"media_server", "other"}, nil)
	plannedDesc = prometheus.NewDesc("usher_planned_changes",
		"Changes that mode Observe would make, by kind.", []string{"kind"}, nil)
	anotherKeyDesc = prometheus.NewDesc("usher_another_key",
		"Objects of the MediaServer (namespace/name) whose passwords or links were made with another key of Usher's, by kind.", []string{"media_server", "kind"}, nil)
	redemptionsDesc = prometheus.NewDesc("usher_redemptions",
		"Uses of Invites, by phase.", []string{"phase"}, nil)
	policiesBoundDesc = prometheus.NewDesc("usher_admission_policies_bound",
		"1 when the admission policies were seen to bind at the last look; else nobody is given what they guard.", nil, nil)
	unappliedDesc = prometheus.NewDesc("usher_oldest_unapplied_seconds",
		"For how long the object that has waited longest is not Ready, by kind; 0 when all are.", []string{"kind"}, nil)
)

// counters are what cannot be read from the objects.
type counters struct {
	driftFound, driftRepaired *prometheus.CounterVec
	// wakeups counts what brought objects back, by kind and by what changed.
	wakeups *prometheus.CounterVec
}

func newCounters() counters {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"kind"})
	}
	c := counters{
		wakeups: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "usher_wakeups_total",
			Help: "What brought objects back to be compared, by their kind and by what changed: their own creation or change, the media server, or an object of another kind.",
		}, []string{"kind", "by"}),
		driftFound:    counter("usher_drift_found_total", "Objects of a media server found different though no manifest had changed, by kind."),
		driftRepaired: counter("usher_drift_repaired_total", "Objects of a media server found different though no manifest had changed, and repaired, by kind."),
	}
	for _, kind := range []string{"Library", "User"} { // from the start, so that the first one is an increase
		c.driftFound.WithLabelValues(kind)
		c.driftRepaired.WithLabelValues(kind)
	}
	return c
}

// collector tells the state of all objects, from the cache, when it is asked.
type collector struct{ *Kit }

// RegisterMetrics registers what the objects and connections of a Kit tell.
func RegisterMetrics(registry prometheus.Registerer, kit *Kit) error {
	compiled := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "usher_librarygrants_compiled_total",
		Help: "How often the selectors of a LibraryGrant were compiled: once for each that is new or whose spec has changed, a few times at most.",
	}, func() float64 { return float64(kit.Grants.Compilations()) })
	for _, one := range []prometheus.Collector{kit.counters.wakeups, kit.counters.driftFound, kit.counters.driftRepaired, compiled, collector{kit}} {
		if err := registry.Register(one); err != nil {
			return err
		}
	}
	return nil
}

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{objectsDesc, serverUpDesc, serverListedDesc, serverIntervalDesc, sharedDesc, undeclaredDesc, undeclaredEnabledDesc, anotherKeyDesc, plannedDesc, redemptionsDesc, unappliedDesc, policiesBoundDesc} {
		ch <- desc
	}
}

// Collect implements prometheus.Collector. What cannot be read is left out. Only the replica that acts tells: another one
// knows no server, and would count every object once more.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	if !c.acting() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), collectTimeout)
	defer cancel()
	bound := 0.0
	if c.Policies.Bound() {
		bound = 1
	}
	ch <- prometheus.MustNewConstMetric(policiesBoundDesc, prometheus.GaugeValue, bound)
	for kind, list := range map[string]client.ObjectList{
		"MediaServer": &v1alpha1.MediaServerList{}, "Library": &v1alpha1.LibraryList{}, "User": &v1alpha1.UserList{},
		"LibraryGrant": &v1alpha1.LibraryGrantList{}, "Invite": &v1alpha1.InviteList{},
	} {
		if c.Client.List(ctx, list, client.UnsafeDisableDeepCopy) == nil {
			c.collectKind(ctx, ch, kind, list)
		}
	}
	var redemptions v1alpha1.RedemptionList
	if c.Client.List(ctx, &redemptions, client.UnsafeDisableDeepCopy) == nil {
		collectRedemptions(ch, redemptions.Items)
	}
}

func (c collector) collectKind(ctx context.Context, ch chan<- prometheus.Metric, kind string, list client.ObjectList) {
	type labels struct{ state, ready string }
	counts, planned, oldest := map[labels]int{}, 0, 0.0
	_ = meta.EachListItem(list, func(o runtime.Object) error {
		one := o.(object)
		state, plan := summaryOf(one)
		ready := meta.FindStatusCondition(*one.StatusConditions(), v1alpha1.ConditionReady)
		if ready == nil {
			ready = &metav1.Condition{Status: metav1.ConditionUnknown, LastTransitionTime: one.GetCreationTimestamp()}
		}
		counts[labels{state, string(ready.Status)}]++
		if !declines(one) { // what is in conflict shows what taking over would do, and is left alone
			planned += plan
		}
		if ready.Status != metav1.ConditionTrue {
			oldest = max(oldest, c.Clock.Since(ready.LastTransitionTime.Time).Seconds())
		}
		if server, ok := one.(*v1alpha1.MediaServer); ok {
			c.collectServer(ctx, ch, server)
		}
		return nil
	})
	if servers, ok := list.(*v1alpha1.MediaServerList); ok {
		c.collectShared(ch, servers.Items)
	}
	for l, n := range counts {
		ch <- prometheus.MustNewConstMetric(objectsDesc, prometheus.GaugeValue, float64(n), kind, l.state, l.ready)
	}
	ch <- prometheus.MustNewConstMetric(plannedDesc, prometheus.GaugeValue, float64(planned), kind)
	ch <- prometheus.MustNewConstMetric(unappliedDesc, prometheus.GaugeValue, oldest, kind)
}

// summaryOf is an object's state, and how much mode Observe would change of it.
func summaryOf(o object) (state string, planned int) {
	switch one := o.(type) {
	case *v1alpha1.MediaServer:
		return string(one.Status.State), len(one.Status.Plan)
	case *v1alpha1.Library:
		return "", len(one.Status.Plan)
	case *v1alpha1.User:
		return string(one.Status.State), len(one.Status.Plan)
	case *v1alpha1.LibraryGrant:
		return string(one.Status.State), 0
	case *v1alpha1.Invite:
		return string(one.Status.State), len(one.Status.Plan)
	}
	return "", 0
}

func (c collector) collectServer(ctx context.Context, ch chan<- prometheus.Metric, server *v1alpha1.MediaServer) {
	key := serverKey(server.Namespace, server.Name)
	connection, up, listed := c.Connections.Get(key), 0.0, 0.0
	if connection.Up {
		up = 1
	}
	if connection.Server != nil && !connection.Server.Inventory().Listed().IsZero() {
		listed = float64(connection.Server.Inventory().Listed().UnixMilli()) / 1000
	}
	ch <- prometheus.MustNewConstMetric(serverUpDesc, prometheus.GaugeValue, up, key)
	ch <- prometheus.MustNewConstMetric(serverListedDesc, prometheus.GaugeValue, listed, key)
	ch <- prometheus.MustNewConstMetric(serverIntervalDesc, prometheus.GaugeValue, syncInterval(server).Seconds(), key)
	if undeclared := server.Status.Undeclared; undeclared != nil {
		ch <- prometheus.MustNewConstMetric(undeclaredDesc, prometheus.GaugeValue, float64(undeclared.Accounts.Total), key, "account")
		ch <- prometheus.MustNewConstMetric(undeclaredDesc, prometheus.GaugeValue, float64(undeclared.Libraries.Total), key, "library")
		if enabled := undeclared.EnabledAccounts; enabled != nil {
			ch <- prometheus.MustNewConstMetric(undeclaredEnabledDesc, prometheus.GaugeValue, float64(enabled.Total), key)
		}
	}
	if users, invites, err := c.madeBefore(ctx, server); err == nil {
		ch <- prometheus.MustNewConstMetric(anotherKeyDesc, prometheus.GaugeValue, float64(len(users.Items)), key, "User")
		ch <- prometheus.MustNewConstMetric(anotherKeyDesc, prometheus.GaugeValue, float64(len(invites.Items)), key, "Invite")
	}
}

func (c collector) collectShared(ch chan<- prometheus.Metric, servers []v1alpha1.MediaServer) {
	led := map[string][]*v1alpha1.MediaServer{}
	for i := range servers {
		one := &servers[i]
		identity := c.sightings.of(one)
		if identity == "" {
			continue
		}
		for _, other := range led[identity] {
			if toldApart(one, other, identity) || !bothWrite(one, other) {
				continue
			}
			for _, pair := range [][2]string{{keyOf(one), keyOf(other)}, {keyOf(other), keyOf(one)}} {
				ch <- prometheus.MustNewConstMetric(sharedDesc, prometheus.GaugeValue, 1, pair[0], pair[1])
			}
		}
		led[identity] = append(led[identity], one)
	}
}

func collectRedemptions(ch chan<- prometheus.Metric, redemptions []v1alpha1.Redemption) {
	counts := map[v1alpha1.RedemptionPhase]int{v1alpha1.RedemptionReserved: 0, v1alpha1.RedemptionCompleted: 0}
	for i := range redemptions {
		phase := redemptions[i].Status.Phase
		if phase == "" {
			phase = v1alpha1.RedemptionReserved
		}
		counts[phase]++
	}
	for phase, n := range counts {
		ch <- prometheus.MustNewConstMetric(redemptionsDesc, prometheus.GaugeValue, float64(n), string(phase))
	}
}
