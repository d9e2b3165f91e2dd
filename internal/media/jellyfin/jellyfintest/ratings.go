package jellyfintest

import (
	"slices"
	"strings"
	"unicode"
)

// rating is a name with its score; sub is used since 10.11. The numbers are the fake's own: the contract says no more than
// that they differ by release and country, and are never to be hard-coded (corrections A.7).
type rating struct {
	name       string
	score, sub int64
}

// ratings are those of a country. Another country than the two has the first one's.
func (v Version) ratings(country string) []rating {
	switch {
	case country == "DE" && v.ratingScores():
		return []rating{{"FSK-0", 0, 0}, {"FSK-6", 6, 0}, {"FSK-12", 12, 0}, {"FSK-16", 16, 0}, {"FSK-18", 18, 0}}
	case country == "DE":
		return []rating{{"FSK-0", 1, 0}, {"FSK-6", 3, 0}, {"FSK-12", 7, 0}, {"FSK-16", 8, 0}, {"FSK-18", 9, 0}}
	case v.ratingScores():
		return []rating{
			{"G", 0, 0}, {"TV-Y", 0, 0}, {"TV-G", 0, 1}, {"TV-Y7", 7, 0}, {"TV-Y7-FV", 7, 1}, {"PG", 10, 0}, {"TV-PG", 10, 0},
			{"PG-13", 13, 0}, {"TV-14", 14, 0}, {"R", 17, 0}, {"TV-MA", 17, 1}, {"NC-17", 17, 1},
		}
	}
	return []rating{
		{"G", 1, 0}, {"TV-Y", 1, 0}, {"TV-G", 1, 0}, {"TV-Y7", 3, 0}, {"TV-Y7-FV", 4, 0}, {"PG", 5, 0}, {"TV-PG", 5, 0},
		{"PG-13", 7, 0}, {"TV-14", 8, 0}, {"R", 9, 0}, {"TV-MA", 9, 0}, {"NC-17", 10, 0},
	}
}

// parentalRatings lists the names with their numbers; RatingScore is there since 10.11 (corrections A.7).
func (s *Server) parentalRatings(*call) answer {
	entries := []object{}
	for _, r := range s.version.ratings(s.config.country) {
		entry := object{"Name": r.name, "Value": r.score}
		if s.version.ratingScores() {
			entry["RatingScore"] = object{"score": r.score, "subScore": r.sub}
		}
		entries = append(entries, entry)
	}
	return ok(entries)
}

// suits says whether an item's rating and tags are for a user.
func (s *Server) suits(u *user, i *item) bool { return s.ratingAllows(u, i) && s.tagsAllow(u, i) }

// unratedKinds are the words of BlockUnratedItems for what the fake has.
var unratedKinds = map[string]string{"Movie": "Movie", "Series": "Series", "Audio": "Music", "MusicAlbum": "Music", "Book": "Book"}

// ratingAllows: what has no rating, or one that nobody knows, is shown unless BlockUnratedItems names its kind, with or
// without a limit.
func (s *Server) ratingAllows(u *user, i *item) bool {
	all := s.version.ratings(s.config.country)
	at := slices.IndexFunc(all, func(r rating) bool { return strings.EqualFold(r.name, i.rating) })
	if at < 0 {
		kind := unratedKinds[i.kind]
		if kind == "" {
			kind = "Other"
		}
		return !slices.Contains(u.policy.texts("BlockUnratedItems"), kind)
	}
	if _, limited := u.policy["MaxParentalRating"]; !limited {
		return true
	}
	score, most := all[at].score, u.policy.number("MaxParentalRating")
	if score != most {
		return score < most
	}
	_, limited := u.policy["MaxParentalSubRating"]
	return !limited || all[at].sub <= u.policy.number("MaxParentalSubRating")
}

// tagsAllow: a blocked tag hides, and allowed tags hide all that has none of them (additions B.12).
func (s *Server) tagsAllow(u *user, i *item) bool {
	clean := strings.ToLower
	if s.version.tagsNormalized() {
		clean = cleaned
	}
	tags := map[string]bool{}
	for _, tag := range i.tags {
		tags[clean(tag)] = true
	}
	has := func(tag string) bool { return tags[clean(tag)] }
	// From 12.0 on blank tags are ignored.
	blank := func(tag string) bool { return s.version.tagsNormalized() && clean(tag) == "" }
	blocked := slices.DeleteFunc(u.policy.texts("BlockedTags"), blank)
	allowed := slices.DeleteFunc(u.policy.texts("AllowedTags"), blank)
	return !slices.ContainsFunc(blocked, has) && (len(allowed) == 0 || slices.ContainsFunc(allowed, has))
}

// cleaned is a tag as 12.0 compares it: without letter case, signs and spaces at the ends.
func cleaned(tag string) string {
	words := strings.FieldsFunc(strings.ToLower(tag), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, " ")
}
