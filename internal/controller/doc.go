// Package controller holds one reconciler a kind. Each runs the same phases in the same order: fetch, paused?,
// resolve references, exclusive claim, connection up?, observe, decide (pure, in internal/access), finalizer and
// intent in one patch, act, record, status once. A phase that cannot go on returns an outcome; finish turns the
// outcome into conditions and writes the status, in one place for all kinds.
package controller
