// Package doctor looks for what is wrong with Usher in a cluster, and says the way out of each.
package doctor
