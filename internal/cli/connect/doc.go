// Package connect reaches a media server with an administrator's credentials, which come from the environment or are typed, never
// from arguments, and which are sent in the clear to nobody but this machine and private networks.
package connect
