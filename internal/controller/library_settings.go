package controller

import (
	"strconv"

	"github.com/usher-media/usher/api/v1alpha1"
)

// settingsBlock names the typed block that a Library uses and the type of server that it is for; empty when it uses none.
func settingsBlock(spec v1alpha1.LibrarySpec) (string, v1alpha1.MediaServerType) {
	switch {
	case spec.Embedded != nil:
		return "embedded", v1alpha1.MediaServerEmbedded
	case spec.Alcoves != nil:
		return "alcoves", v1alpha1.MediaServerAlcoves
	case spec.Shisho != nil:
		return "shisho", v1alpha1.MediaServerShisho
	case spec.Audiobookshelf != nil:
		return "audiobookshelf", v1alpha1.MediaServerAudiobookshelf
	}
	return "", ""
}

// settings turns the typed block into the names that drivers use; what is absent is left alone.
func settings(spec v1alpha1.LibrarySpec) map[string]string {
	out := map[string]string{}
	text := func(name string, value *string) {
		if value != nil {
			out[name] = *value
		}
	}
	flag := func(name string, value *bool) {
		if value != nil {
			out[name] = strconv.FormatBool(*value)
		}
	}
	if block := spec.Embedded; block != nil {
		text("emoji", block.Emoji)
		flag("publicSharing", block.PublicSharing)
	}
	if block := spec.Alcoves; block != nil {
		text("emoji", block.Emoji)
		flag("faceRecognition", block.FaceRecognition)
		flag("objectDetection", block.ObjectDetection)
		flag("publicSharing", block.PublicSharing)
	}
	if block := spec.Shisho; block != nil {
		flag("organizeFiles", block.OrganizeFiles)
		if block.CoverAspectRatio != "" {
			text("coverAspectRatio", &block.CoverAspectRatio)
		}
	}
	if block := spec.Audiobookshelf; block != nil {
		for name, word := range map[string]string{"provider": block.Provider, "icon": block.Icon} {
			if word != "" {
				out[name] = word
			}
		}
	}
	return out
}
