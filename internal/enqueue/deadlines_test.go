package enqueue

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func requestOf(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}
}

// TestWhatIsDueComesFirst: access that ends waits behind no look, also where one is enqueued already; and who has an end that is
// still to come is looked at no sooner than the others.
func TestWhatIsDueComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		queue := priorityqueue.New[reconcile.Request]("test")
		defer queue.ShutDown()
		var d Deadlines
		if err := d.Source().Start(ctx, queue); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for name, after := range map[string]time.Duration{
			"ends, and is looked at": time.Minute, "ends": time.Minute, "ends later": time.Hour, "is put off": time.Second, "ends no more": time.Second,
		} {
			d.Set(requestOf(name), began.Add(after), began)
		}
		d.Set(requestOf("is put off"), began.Add(time.Hour), began)
		d.Set(requestOf("ends no more"), time.Time{}, began)
		looks := []reconcile.Request{requestOf("ends later")}
		for i := range 50 {
			looks = append(looks, requestOf(fmt.Sprint(i)))
		}
		add(queue, 0, handler.LowPriority, append(looks, requestOf("ends, and is looked at")))
		time.Sleep(time.Minute) // of the test's own clock
		synctest.Wait()
		if n := queue.Len(); n != 53 {
			t.Errorf("%d are enqueued, want 53", n)
		}
		first := map[string]bool{}
		for range 2 {
			request, priority, _ := queue.GetWithPriority()
			if first[request.Name] = true; priority != 0 {
				t.Errorf("%s has priority %d", request.Name, priority)
			}
		}
		if !first["ends"] || !first["ends, and is looked at"] {
			t.Errorf("what is due does not come first, but %v", first)
		}
		if request, priority, _ := queue.GetWithPriority(); request.Name != "ends later" || priority != handler.LowPriority {
			t.Errorf("then comes %s, with priority %d", request.Name, priority)
		}
		stop()
		synctest.Wait()
		before := queue.Len()
		time.Sleep(2 * time.Hour) // of the test's own clock
		synctest.Wait()
		if n := queue.Len(); n != before {
			t.Errorf("%d came after the end", n-before)
		}
	})
}
