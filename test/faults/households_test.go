package faults

import "github.com/usher-media/usher/api/v1alpha1"

// household is two people and three libraries.
func household(h *house) {
	h.create(h.library("movies"), h.library("kids"), h.library("shows"))
	h.create(h.user("ann", "group=adults"), h.user("mia", "group=kids"))
	h.create(h.grant("all", "movies", "*"), h.grant("kids", "kids", "group=kids"))
}

func disableAnn(h *house) {
	edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Spec.Disabled = true })
}

func cascades(h *house) {
	edit(h, h.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.DeletionPolicy = v1alpha1.MediaServerDeletionCascade })
}

func deletesAccount(h *house) {
	edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Spec.DeletionPolicy = v1alpha1.UserDeletionDelete })
}
