package shishotest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Device keys: only their owner manages them, and neither deactivation nor a new password ends them.

func keyForm(k *key) object {
	return object{"id": strconv.Itoa(k.id), "name": k.name, "key": k.text, "permissions": k.permissions}
}

func (s *Server) listKeys(c *call) (int, any, error) {
	var own []object // null when there is none
	for _, k := range s.keys {
		if k.owner == c.user.id {
			own = append(own, keyForm(k))
		}
	}
	return http.StatusOK, own, nil
}

func (s *Server) createKey(c *call) (int, any, error) {
	var form struct {
		Name string `json:"name"`
	}
	if err := c.read(&form); err != nil {
		return 0, nil, err
	}
	k := &key{id: s.next("key"), owner: c.user.id, name: form.Name}
	k.text = fmt.Sprintf("ak_%s", sign(strconv.Itoa(k.id)))
	s.keys = append(s.keys, k)
	return http.StatusCreated, keyForm(k), nil
}

func (s *Server) ownKey(c *call) *key {
	return find(s.keys, func(k *key) bool { return k.id == c.id() && k.owner == c.user.id })
}

func (s *Server) deleteKey(c *call) (int, any, error) {
	k := s.ownKey(c)
	if k == nil {
		return 0, nil, missing("API key")
	}
	s.keys = slices.DeleteFunc(s.keys, func(other *key) bool { return other == k })
	return http.StatusNoContent, nil, nil
}

func (s *Server) permitKey(c *call) (int, any, error) {
	k := s.ownKey(c)
	if k == nil {
		return 0, nil, missing("API key")
	}
	k.permissions = append(k.permissions, c.PathValue("permission"))
	return http.StatusOK, keyForm(k), nil
}

// device finds a key by what is in the path, whatever its owner may do by now.
func (s *Server) device(r *http.Request, permission string) *key {
	return find(s.keys, func(k *key) bool { return k.text == r.PathValue("key") && slices.Contains(k.permissions, permission) })
}

// ereader lists libraries for a device.
func (s *Server) ereader(w http.ResponseWriter, r *http.Request) {
	k := s.device(r, "ereader_browser")
	if k == nil {
		send(w, http.StatusUnauthorized, envelope(refuse(http.StatusUnauthorized, "unauthorized", "Invalid API key")))
		return
	}
	for _, l := range s.shown(s.account(k.owner)) {
		_, _ = fmt.Fprintf(w, "<li>%s</li>\n", l.name)
	}
}

// kobo hands out every book to every device, granted or not.
func (s *Server) kobo(w http.ResponseWriter, r *http.Request) {
	k := s.device(r, "kobo_sync")
	b := find(s.books, func(b *book) bool { return strconv.Itoa(b.id) == strings.TrimPrefix(r.PathValue("book"), "shisho-") })
	if k == nil || b == nil {
		send(w, http.StatusNotFound, envelope(missing("Book")))
		return
	}
	http.ServeFile(w, r, b.path)
}
