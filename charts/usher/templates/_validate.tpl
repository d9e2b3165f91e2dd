{{/* What the values ask for that cannot be, beside what values.schema.json says. */}}
{{- define "usher.validate" -}}
{{- with .Values.mediaserver -}}
{{- if and .enabled (gt (int .replicas) 1) (not .database.secretName) -}}
{{- fail "mediaserver.replicas: a SQLite database belongs to one server. For more, set mediaserver.database.secretName to a Secret with the URL of a PostgreSQL database" -}}
{{- end -}}
{{- if and .enabled (gt (int .replicas) 1) (not .persistence.existingClaim) -}}
{{- fail "mediaserver.replicas: servers share people's personal libraries. Set mediaserver.persistence.existingClaim to a claim that all replicas mount (ReadWriteMany)" -}}
{{- end -}}
{{- if and .enabled .ingress.enabled (not .ingress.hosts) -}}
{{- fail "mediaserver.ingress: set mediaserver.ingress.hosts to the names under which people reach the server" -}}
{{- end -}}
{{- if and .enabled .httpRoute.enabled (not .httpRoute.parentRefs) -}}
{{- fail "mediaserver.httpRoute: set mediaserver.httpRoute.parentRefs to the Gateways that lead to the server" -}}
{{- end -}}
{{- end -}}
{{- with .Values.metrics -}}
{{- if and .podMonitor.enabled .authentication.enabled -}}
{{- fail "metrics.podMonitor: a PodMonitor takes its token from a Secret. With metrics.authentication, use metrics.serviceMonitor" -}}
{{- end -}}
{{- end -}}
{{- if .Values.checkConflicts -}}
{{- include "usher.conflicts" . -}}
{{- end -}}
{{- end -}}

{{/* Whose a live object is, where it is not this release's: (list . object). Empty when there is none, or it is ours. */}}
{{- define "usher.foreign" -}}
{{- $root := index . 0 -}}
{{- with index . 1 -}}
{{- $annotations := .metadata.annotations | default dict -}}
{{- $release := index $annotations "meta.helm.sh/release-name" | default "" -}}
{{- $namespace := index $annotations "meta.helm.sh/release-namespace" | default "" -}}
{{- if not $release -}}
an installation without Helm
{{- else if or (ne $release $root.Release.Name) (ne $namespace $root.Release.Namespace) -}}
release {{ $release }} in namespace {{ $namespace }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
Two operators that reconcile the same objects undo each other, and two in one namespace share a lease and a key: names that are
the same in all releases make the second one fail, and this says why before anything is made.
*/}}
{{- define "usher.conflicts" -}}
{{- $rbac := "rbac.authorization.k8s.io/v1" -}}
{{- if .Values.crds.enabled -}}
{{- with include "usher.foreign" (list . (lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "mediaservers.usher.media")) -}}
{{- fail (printf "the kinds of Usher in this cluster belong to %s: set crds.enabled=false to leave them there, or checkConflicts=false with helm's --take-ownership to take them over" .) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.operator.enabled .Values.rbac.create -}}
{{- with include "usher.foreign" (list . (lookup $rbac "Role" (include "usher.namespace" .) "usher-operator")) -}}
{{- fail (printf "in namespace %s there is an operator already, of %s: install this release in another namespace" (include "usher.namespace" $) .) -}}
{{- end -}}
{{- with include "usher.foreign" (list . (lookup $rbac "ClusterRoleBinding" "" "usher-manager")) -}}
{{- fail (printf "%s reconciles the objects of all namespaces: uninstall it, or give it watchNamespaces that this one does not have, first" .) -}}
{{- end -}}
{{- range .Values.watchNamespaces -}}
{{- $namespace := . -}}
{{- with include "usher.foreign" (list $ (lookup $rbac "Role" $namespace "usher-manager")) -}}
{{- fail (printf "the objects of namespace %s are reconciled by %s: leave it out of watchNamespaces" $namespace .) -}}
{{- end -}}
{{- else -}}
{{- range (lookup $rbac "Role" "" "").items -}}
{{- if eq .metadata.name "usher-manager" -}}
{{- $namespace := .metadata.namespace -}}
{{- with include "usher.foreign" (list $ .) -}}
{{- fail (printf "the objects of namespace %s are reconciled by %s: set watchNamespaces, or uninstall that one first" $namespace .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
