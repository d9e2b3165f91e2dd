package mediaserver_test

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/usher-media/usher/internal/mediaserver/mediafile/mediafiletest"
)

// tone is a WAV file of that many seconds, which browsers play.
func tone(seconds int) string {
	const rate = 8000
	data := make([]byte, rate*seconds)
	for i := range data {
		data[i] = byte(128 + 40*math.Sin(float64(i)/5))
	}
	header := []byte("RIFF____WAVEfmt ____")
	binary.LittleEndian.PutUint32(header[4:], uint32(36+len(data)))
	binary.LittleEndian.PutUint32(header[16:], 16)
	for _, field := range []any{uint16(1), uint16(1), uint32(rate), uint32(rate), uint16(1), uint16(8)} {
		header, _ = binary.Append(header, binary.LittleEndian, field)
	}
	header = append(header, "data"...)
	header, _ = binary.Append(header, binary.LittleEndian, uint32(len(data)))
	return string(append(header, data...))
}

// household is a server with films, music and books, and mia, who was given all but the films.
func household(t *testing.T) *world {
	w := start(t)
	owner := w.owner()
	w.want(200, "PATCH", "/v1/server", owner, `{"name":"The Larches"}`)
	w.write("films/Secret film.mp4", "film")
	for name, content := range map[string]string{
		"music/Jump.mp3": mediafiletest.MP3("Jump", "Van Halen", "1984", 2), "music/Tone.wav": tone(60),
		"books/deep.epub": mediafiletest.EPUB("A Deepness in the Sky", "Vernor Vinge", "Zones of Thought"),
		"books/fire.epub": mediafiletest.EPUB("A Fire Upon the Deep", "Vernor Vinge", "Zones of Thought"),
		"books/notes.txt": "Buy milk.", "books/broken.epub": "no book",
	} {
		w.write(name, content)
	}
	w.library(owner, "Films", "films")
	music, books := w.library(owner, "Music", "music"), w.library(owner, "Books", "books")
	w.want(200, "PATCH", "/v1/libraries/"+books, owner, `{"emoji":"📚"}`)
	w.user(owner, "mia", `,"displayName":"Mia","access":{"all":false,"libraries":[{"libraryId":"`+music+`"},{"libraryId":"`+books+`"}]}`)
	return w
}

// A person signs in, finds, plays, goes on later, changes the password and signs out, in a real browser.
func TestTheWebPageInABrowser(t *testing.T) {
	w := household(t)
	ctx := chromium(t)
	watchPages(t, ctx, w.url)
	owner := w.signIn("olga")
	w.invite(owner, code, "")
	var home, found, item, continued, changed string
	var position float64
	sound := w.itemNamed(owner, "Tone")
	run(t, ctx, screen(390, 844),
		chromedp.Navigate(w.url+"/invite/"+code), shoot(t, "invite-phone"),
		chromedp.Navigate(w.url+"/"), shoot(t, "sign-in-phone"),
		chromedp.SendKeys("#login", "mia"), chromedp.SendKeys("#password", "wrong"), chromedp.Submit("#password"),
		chromedp.WaitVisible("#problem"), shoot(t, "sign-in-wrong-phone"),
		chromedp.SendKeys("#password", password), chromedp.Submit("#password"),
		chromedp.WaitVisible(".shelf"), chromedp.Text("body", &home), shoot(t, "home-phone"),
		chromedp.SendKeys("#q", "vinge"), chromedp.Submit("#q"), chromedp.WaitVisible(`#q[value="vinge"]`), chromedp.Text("main", &found), shoot(t, "search-phone"),
		chromedp.Click(".card"), chromedp.WaitVisible(".facts"), chromedp.Text("main", &item), shoot(t, "book-phone"),
		chromedp.Navigate(w.url+"/app/items/"+sound), chromedp.WaitVisible("audio"), shoot(t, "audio-phone"),
		chromedp.Poll(`(() => { const p = document.querySelector("audio"); if (p.readyState < 1) return false; p.currentTime = 30; p.muted = true; p.play(); return true })()`, nil),
		chromedp.Poll(`document.querySelector("audio").currentTime > 30.2`, nil, chromedp.WithPollingTimeout(2*time.Minute)),
		chromedp.Evaluate(`document.querySelector("audio").pause()`, nil),
	)
	if err := w.until(func() bool {
		return strings.Contains(w.send("GET", "/v1/continue-watching", w.signIn("mia"), "").body, sound)
	}); err != nil {
		t.Fatal("playing is not noted")
	}
	run(t, ctx,
		chromedp.Navigate(w.url+"/"), chromedp.WaitVisible(".shelf"), chromedp.Text("main", &continued), shoot(t, "continue-phone"),
		chromedp.Navigate(w.url+"/app/items/"+sound),
		chromedp.Poll(`document.querySelector("audio").currentTime > 29`, nil), chromedp.Evaluate(`document.querySelector("audio").currentTime`, &position),
		screen(1280, 900), chromedp.Navigate(w.url+"/"), chromedp.WaitVisible(".shelf"), shoot(t, "home-desktop"),
		chromedp.Navigate(w.url+"/docs"), shoot(t, "docs-desktop"), screen(390, 844), chromedp.Navigate(w.url+"/docs"), shoot(t, "docs-phone"),
		chromedp.Navigate(w.url+"/app/account"), shoot(t, "account-phone"),
		chromedp.SendKeys("#current", password), chromedp.SendKeys("#new", "another canary"), chromedp.SendKeys("#repeat", "another canary"), chromedp.Submit("#new"),
		chromedp.WaitVisible(".done"), chromedp.Text(".done", &changed),
		chromedp.Click("header nav button"), chromedp.WaitVisible("#login"),
	)
	for text, wants := range map[string][]string{
		home: {"Music", "Books", "Mia", "A Deepness in the Sky", "Jump"}, found: {"A Deepness in the Sky", "A Fire Upon the Deep"},
		item: {"Vernor Vinge", "Zones of Thought 1", "Download"}, continued: {"Continue", "Tone"}, changed: {"Your password is changed."},
	} {
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in %s", want, text)
			}
		}
		if strings.Contains(text, "Secret") || strings.Contains(text, "Films") {
			t.Errorf("the page shows what was not granted: %s", text)
		}
	}
	if got := w.send("POST", "/v1/auth/sign-in", "", `{"login":"mia","password":"another canary"}`); got.status != 200 {
		t.Errorf("the new password: %v", got)
	}
}
