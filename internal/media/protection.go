package media

// Protection says why an account is never demoted, disabled or deleted; empty when it may be.
// It is asked before each such call, with the newest inventory.
func (s *Server) Protection(probe Probe, account Account) string {
	switch {
	case account.ID == probe.Self:
		return "it is the account that Usher itself uses"
	case account.Role == RoleOwner:
		return "it is the server's owner"
	case probe.Capabilities.Roles[account.Role].Administers && !s.hasOtherAdministrator(probe, account.ID):
		return "it is the server's last administrator"
	}
	return ""
}

func (s *Server) hasOtherAdministrator(probe Probe, id AccountID) bool {
	for _, other := range s.inventory.Accounts() {
		if other.ID != id && !other.Disabled && probe.Capabilities.Roles[other.Role].Administers {
			return true
		}
	}
	return false
}
