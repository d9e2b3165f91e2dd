package faults

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func init() { scenarios = append(scenarios, prunes...) }

// prunes delete everything, in several orders.
var prunes = []scenario{
	{
		name: "prune, the grants first", prunes: true,
		before: household,
		act: func(h *house) {
			h.delete(h.grant("all", "", ""), h.grant("kids", "", ""), h.library("movies"), h.library("kids"), h.library("shows"),
				h.user("ann"), h.user("mia"), h.mediaServer(), &corev1.Secret{ObjectMeta: h.meta(secretName)})
		},
		finally: func(h *house) { h.create(h.secret(secretName, h.system.credentials())) },
	},
	{
		name: "prune, the server first", prunes: true,
		before: household,
		act: func(h *house) {
			h.delete(h.mediaServer(), &corev1.Secret{ObjectMeta: h.meta(secretName)}, h.user("ann"), h.user("mia"),
				h.library("movies"), h.library("kids"), h.library("shows"), h.grant("all", "", ""), h.grant("kids", "", ""))
		},
		finally: func(h *house) { h.create(h.secret(secretName, h.system.credentials())) },
	},
	{
		name: "prune, the namespace first", prunes: true,
		before: household,
		act: func(h *house) {
			h.delete(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: h.namespace}}, h.grant("all", "", ""), h.grant("kids", "", ""),
				h.user("ann"), h.user("mia"), h.library("movies"), h.library("kids"), h.library("shows"), h.mediaServer())
		},
	},
	{
		name: "take everything back", changes: 2, prunes: true,
		before: func(h *house) { household(h); h.quiet(); cascades(h) },
		act: func(h *house) {
			h.delete(h.user("ann"), h.user("mia"), &corev1.Secret{ObjectMeta: h.meta(secretName)}, h.mediaServer(),
				h.grant("all", "", ""), h.grant("kids", "", ""), h.library("movies"), h.library("kids"), h.library("shows"))
		},
		finally: func(h *house) { h.create(h.secret(secretName, h.system.credentials())) },
	},
}
