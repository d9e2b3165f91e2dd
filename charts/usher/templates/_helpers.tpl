{{/* The chart's name. */}}
{{- define "usher.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The first part of all names: the release's, with the chart's name where the release's does not hold it. */}}
{{- define "usher.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The namespace of everything that has one. */}}
{{- define "usher.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{/* The first part of names of what belongs to the cluster and to this release alone: namespaces share release names. */}}
{{- define "usher.clustername" -}}
{{- printf "%s-%s" (include "usher.namespace" .) (include "usher.fullname" .) -}}
{{- end -}}

{{- define "usher.mediaserver.fullname" -}}
{{- printf "%s-mediaserver" (include "usher.fullname" .) -}}
{{- end -}}

{{/* What selects the operator's pods. */}}
{{- define "usher.selectorLabels" -}}
app.kubernetes.io/name: {{ include "usher.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* What selects the media server's pods. */}}
{{- define "usher.mediaserver.selectorLabels" -}}
app.kubernetes.io/name: mediaserver
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels beside those that select: of the root context and a component, as (list . "operator"). */}}
{{- define "usher.otherLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/part-of: usher
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "usher.labels" -}}
{{ include "usher.selectorLabels" . }}
{{ include "usher.otherLabels" (list . "operator") }}
{{- end -}}

{{/* Labels of the kinds, policies and roles, which belong to the cluster. */}}
{{- define "usher.clusterLabels" -}}
{{ include "usher.selectorLabels" . }}
{{ include "usher.otherLabels" (list . "api") }}
{{- end -}}

{{- define "usher.mediaserver.labels" -}}
{{ include "usher.mediaserver.selectorLabels" . }}
{{ include "usher.otherLabels" (list . "mediaserver") }}
{{- end -}}

{{/* The annotation that keeps what belongs to the cluster when the release goes. */}}
{{- define "usher.keep" -}}
{{- if .Values.crds.keep -}}
helm.sh/resource-policy: keep
{{- end -}}
{{- end -}}

{{- define "usher.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s%s@%s" .repository (empty .tag | ternary "" (printf ":%s" .tag)) .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "usher.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "usher.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.create is false: set serviceAccount.name to the one that the operator shall use" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "usher.priorityClassName" -}}
{{- default (ternary (include "usher.clustername" .) "" .Values.priorityClass.create) .Values.priorityClass.name -}}
{{- end -}}

{{/* Constraints of topology, each with the labels that its pods are selected by: (list constraints "labels as YAML"). */}}
{{- define "usher.topology" -}}
{{- $labels := index . 1 | fromYaml -}}
{{- range index . 0 }}
- {{ toYaml (merge (deepCopy .) (dict "labelSelector" (dict "matchLabels" $labels))) | nindent 2 | trim }}
{{- end }}
{{- end -}}

{{/* The settings of a pod's place that both programs have: (list values topology-labels priorityClassName). */}}
{{- define "usher.placement" -}}
{{- $values := index . 0 -}}
{{- with index . 2 }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 0 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.topologySpreadConstraints }}
topologySpreadConstraints: {{- include "usher.topology" (list . (index $ 1)) }}
{{- end }}
{{- end -}}

{{/* What is the same in each endpoint of a ServiceMonitor. */}}
{{- define "usher.scrape" -}}
{{- with .Values.metrics.serviceMonitor -}}
path: /metrics
{{- with .interval }}
interval: {{ . }}
{{- end }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with .relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
{{- end -}}
