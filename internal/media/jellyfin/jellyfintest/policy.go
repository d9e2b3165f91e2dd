package jellyfintest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// joined are the preferences that are stored in one text, by commas: what holds a comma comes back in two (additions
// B.11).
var joined = []string{"BlockedTags", "AllowedTags", "EnabledDevices", "EnableContentDeletionFromFolders"}

// lists of the policy that are stored: a null in their place breaks the request. Not in the contract.
var lists = append([]string{"BlockUnratedItems", "AccessSchedules", "EnabledFolders", "EnabledChannels"}, joined...)

// setPolicy replaces the whole policy (section 5). The body is read by the constructor's defaults: what it leaves out is
// permissive, EnableAllFolders above all.
func (s *Server) setPolicy(c *call) answer {
	id, isID := c.id()
	if !isID {
		return invalid("userId")
	}
	u := s.user(id)
	if u == nil {
		return stated(http.StatusNotFound, "User not found")
	}
	if words := s.refusesPolicy(u, c.body); words != "" {
		return stated(http.StatusForbidden, words)
	}
	if c.body.flag("IsDisabled") && !u.disabled() {
		// The tokens end first, and the policy is written after (additions B.3).
		s.revoke(u, "")
		s.mu.Unlock()
		goOn := s.reach(TokensRevoked, u.name)
		s.mu.Lock()
		if !goOn {
			return failed(http.StatusInternalServerError)
		}
	}
	for _, name := range lists {
		if _, there := c.body[name]; !there {
			return failed(http.StatusInternalServerError)
		}
	}
	s.writing(u, func() { u.policy = s.storedPolicy(c.body) })
	return noContent()
}

// refusesPolicy says why a policy may not be (section 5, "403 rules"): an administrator is not disabled even by the
// request that demotes.
func (s *Server) refusesPolicy(u *user, policy object) string {
	enabled := func(u *user) bool { return !u.disabled() }
	switch {
	case u.admin() && !policy.flag("IsAdministrator") && s.count((*user).admin) == 1:
		return "There must be an administrator."
	case u.admin() && policy.flag("IsDisabled"):
		return "Administrators cannot be disabled."
	case policy.flag("IsDisabled") && enabled(u) && s.count(enabled) == 1:
		return "There must be an enabled user."
	}
	return ""
}

// storedPolicy is what the server keeps of a body: schedules get new ids (section 5), a limit of 0 attempts becomes 3, and
// texts are joined by commas (additions B.11). BlockedMediaFolders and BlockedChannels are ignored.
func (s *Server) storedPolicy(body object) object {
	policy := body.clone()
	delete(policy, "BlockedMediaFolders")
	delete(policy, "BlockedChannels")
	switch attempts := policy.number("LoginAttemptsBeforeLockout"); {
	case attempts == 0:
		policy["LoginAttemptsBeforeLockout"] = int64(3)
	case attempts < 0:
		policy["LoginAttemptsBeforeLockout"] = int64(-1)
	}
	for _, name := range joined {
		policy[name] = listOf(slices.DeleteFunc(strings.Split(strings.Join(policy.texts(name), ","), ","), func(t string) bool { return t == "" }))
	}
	for _, schedule := range policy["AccessSchedules"].([]any) {
		s.schedules++
		schedule.(object)["Id"] = s.schedules
	}
	return policy
}

// policyView is the policy as GET shows it: EnableLyricManagement is always false, and what an older server blocked shows
// though no call writes it (section 5).
func (s *Server) policyView(u *user) object {
	policy := u.policy.clone()
	policy["EnableLyricManagement"] = false
	policy["BlockedMediaFolders"], policy["BlockedChannels"] = listOf(u.blockedFolders), listOf(u.blockedChannels)
	for _, schedule := range policy["AccessSchedules"].([]any) {
		schedule.(object)["UserId"] = u.id
	}
	return policy
}

// sees says whether a library is shown: by what an older server blocked, where there is any, and else by
// EnableAllFolders and EnabledFolders (section 5, "access test per library"). An administrator's policy counts alike.
func (u *user) sees(library string) bool {
	if len(u.blockedFolders) > 0 {
		return !slices.Contains(u.blockedFolders, library)
	}
	return u.policy.flag("EnableAllFolders") || slices.Contains(u.policy.texts("EnabledFolders"), library)
}

// mayUse says whether a user may use a device.
func (u *user) mayUse(deviceID string) bool {
	return u.policy.flag("EnableAllDevices") || slices.Contains(u.policy.texts("EnabledDevices"), deviceID)
}

// withinHours says whether the schedules let somebody in; without any, always (additions B.13).
func (u *user) withinHours(now time.Time) bool {
	schedules, _ := u.policy["AccessSchedules"].([]any)
	if len(schedules) == 0 {
		return true
	}
	return slices.ContainsFunc(schedules, func(one any) bool {
		schedule := one.(object)
		hour := float64(now.Hour()) + float64(now.Minute())/60
		from, _ := schedule["StartHour"].(float64)
		to, _ := schedule["EndHour"].(float64)
		return onDay(schedule.text("DayOfWeek"), now.Weekday()) && hour >= from && hour < to
	})
}

func onDay(word string, day time.Weekday) bool {
	weekend := day == time.Saturday || day == time.Sunday
	switch word {
	case "Everyday":
		return true
	case "Weekday":
		return !weekend
	case "Weekend":
		return weekend
	}
	return word == day.String()
}
