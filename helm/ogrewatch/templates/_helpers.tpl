{{- define "ogrewatch.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{/* Labels that select the pods of a role: list root role */}}
{{- define "ogrewatch.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
{{- with index . 1 }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "ogrewatch.labels" -}}
{{- $root := index . 0 -}}
{{ include "ogrewatch.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{- define "ogrewatch.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- if .Values.image.digest -}}{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}{{ .Values.image.repository }}:{{ $tag }}
{{- end -}}
{{- end -}}

{{/* Which roles read topics in a consumer group: no more pods than partitions can work. */}}
{{- define "ogrewatch.isAgent" -}}
{{- if has . (list "normalize" "count" "detect" "index") }}true{{ end -}}
{{- end -}}

{{/* Seconds before SIGTERM in which load balancers hear that a pod goes away */}}
{{- define "ogrewatch.preStop" -}}
{{- if has . (list "web" "ingest") }}5{{ else }}0{{ end -}}
{{- end -}}

{{/* Names of the Service of a role, comma separated: list root role more-names */}}
{{- define "ogrewatch.hosts" -}}
{{- $root := index . 0 -}}
{{- $service := printf "%s-%s" (include "ogrewatch.fullname" $root) (index . 1) -}}
{{- $there := printf "%s.%s" $service $root.Release.Namespace -}}
{{- $names := concat (list $service $there (printf "%s.svc" $there) (printf "%s.svc.cluster.local" $there)) (index . 2) -}}
{{- join "," $names -}}
{{- end -}}

{{/* A value as text; large whole numbers without an exponent */}}
{{- define "ogrewatch.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/* Settings by variable, as YAML: list root role */}}
{{- define "ogrewatch.settings" -}}
{{- $root := index . 0 -}}{{- $role := index . 1 -}}{{- $v := $root.Values -}}
{{- $full := include "ogrewatch.fullname" $root -}}
{{- $s := dict
  "OGREWATCH_KAFKA" $v.kafka.bootstrap
  "OGREWATCH_PREFIX" $v.kafka.prefix
  "OGREWATCH_PARTITIONS" $v.partitions
  "OGREWATCH_REPLICATION" $v.kafka.replication
  "OGREWATCH_KAFKA_PROTOCOL" $v.kafka.protocol
  "OGREWATCH_ELASTICSEARCH" $v.elasticsearch.urls
  "OGREWATCH_NAMESPACE" $v.elasticsearch.namespace
  "OGREWATCH_DATA_DIR" "/var/lib/ogrewatch"
  "OGREWATCH_LOG_LEVEL" $v.logLevel
  "OGREWATCH_LOG_FORMAT" $v.logFormat
  "OGREWATCH_GRACE" $v.grace
  "OGREWATCH_METRICS_HOST" $v.listen
  "OGREWATCH_METRICS_PORT" 9464 -}}
{{- if hasPrefix "SASL" $v.kafka.protocol -}}
{{- $_ := set $s "OGREWATCH_KAFKA_MECHANISM" $v.kafka.mechanism -}}
{{- $_ := set $s "OGREWATCH_KAFKA_USER" $v.kafka.user -}}
{{- $_ := set $s "OGREWATCH_KAFKA_PASSWORD_FILE" (printf "/etc/ogrewatch/kafka-password/%s" $v.kafka.passwordSecret.key) -}}
{{- end -}}
{{- if $v.kafka.caSecret.name -}}
{{- $_ := set $s "OGREWATCH_KAFKA_CA" (printf "/etc/ogrewatch/kafka-ca/%s" $v.kafka.caSecret.key) -}}
{{- end -}}
{{- with $v.kafka.clientCertificateSecret -}}{{- if .name -}}
{{- $_ := set $s "OGREWATCH_KAFKA_CERTIFICATE" (printf "/etc/ogrewatch/kafka-certificate/%s" .certificate) -}}
{{- $_ := set $s "OGREWATCH_KAFKA_PRIVATE_KEY" (printf "/etc/ogrewatch/kafka-certificate/%s" .privateKey) -}}
{{- end -}}{{- end -}}
{{- with $v.elasticsearch -}}
{{- if .apiKeySecret.name -}}
{{- $_ := set $s "OGREWATCH_ELASTICSEARCH_API_KEY_FILE" (printf "/etc/ogrewatch/elasticsearch-api-key/%s" .apiKeySecret.key) -}}
{{- else if .passwordSecret.name -}}
{{- $_ := set $s "OGREWATCH_ELASTICSEARCH_USER" .user -}}
{{- $_ := set $s "OGREWATCH_ELASTICSEARCH_PASSWORD_FILE" (printf "/etc/ogrewatch/elasticsearch-password/%s" .passwordSecret.key) -}}
{{- end -}}
{{- if .caSecret.name -}}
{{- $_ := set $s "OGREWATCH_ELASTICSEARCH_CA" (printf "/etc/ogrewatch/elasticsearch-ca/%s" .caSecret.key) -}}
{{- end -}}
{{- if .fingerprint -}}{{- $_ := set $s "OGREWATCH_ELASTICSEARCH_FINGERPRINT" .fingerprint -}}{{- end -}}
{{- end -}}
{{- if has $role (list "count" "web") -}}
{{- $_ := set $s "OGREWATCH_SECRET_FILE" (printf "/etc/ogrewatch/auth/%s" $v.auth.secretKey) -}}
{{- end -}}
{{- if has $role (list "web" "ingest") -}}
{{- $_ := set $s "OGREWATCH_INGEST_TOKENS" (printf "/etc/ogrewatch/auth/%s" $v.auth.tokensKey) -}}
{{- end -}}
{{- if eq $role "count" -}}
{{- $_ := set $s "OGREWATCH_COUNT_HOST" $v.listen -}}
{{- $_ := set $s "OGREWATCH_COUNT_PORT" 6066 -}}
{{- else if and (eq $role "detect") $v.detect.rulesConfigMap -}}
{{- $_ := set $s "OGREWATCH_RULES" "/etc/ogrewatch/rules" -}}
{{- else if eq $role "web" -}}
{{- $more := $v.web.hosts -}}{{- with $v.web.ingress.host }}{{- $more = append $more . -}}{{- end -}}
{{- $_ := set $s "OGREWATCH_WEB_HOST" $v.listen -}}
{{- $_ := set $s "OGREWATCH_WEB_PORT" 8090 -}}
{{- $_ := set $s "OGREWATCH_WEB_HOSTS" (include "ogrewatch.hosts" (list $root "web" $more)) -}}
{{- $_ := set $s "OGREWATCH_QUERY_URL" (printf "http://%s-count.%s.svc:6066" $full $root.Release.Namespace) -}}
{{- else if eq $role "ingest" -}}
{{- $more := $v.ingest.hosts -}}{{- with $v.ingest.ingress.host }}{{- $more = append $more . -}}{{- end -}}
{{- $_ := set $s "OGREWATCH_INGEST_HOST" $v.listen -}}
{{- $_ := set $s "OGREWATCH_INGEST_PORT" 8080 -}}
{{- $_ := set $s "OGREWATCH_INGEST_HOSTS" (include "ogrewatch.hosts" (list $root "ingest" $more)) -}}
{{- with $v.ingest.tls -}}{{- if .secretName -}}
{{- $_ := set $s "OGREWATCH_INGEST_CERTIFICATE" "/etc/ogrewatch/ingest-tls/tls.crt" -}}
{{- $_ := set $s "OGREWATCH_INGEST_PRIVATE_KEY" "/etc/ogrewatch/ingest-tls/tls.key" -}}
{{- if .clientCaKey -}}{{- $_ := set $s "OGREWATCH_INGEST_CLIENT_CA" (printf "/etc/ogrewatch/ingest-tls/%s" .clientCaKey) -}}{{- end -}}
{{- end -}}{{- end -}}
{{- else if eq $role "amqp" -}}
{{- $_ := set $s "OGREWATCH_AMQP_URL" $v.amqp.url -}}
{{- $_ := set $s "OGREWATCH_AMQP_METRICS_HOST" $v.listen -}}
{{- $_ := set $s "OGREWATCH_AMQP_METRICS_PORT" 9464 -}}
{{- if $v.amqp.passwordSecret.name -}}{{- $_ := set $s "OGREWATCH_AMQP_PASSWORD_FILE" (printf "/etc/ogrewatch/amqp-password/%s" $v.amqp.passwordSecret.key) -}}{{- end -}}
{{- if $v.amqp.caSecret.name -}}{{- $_ := set $s "OGREWATCH_AMQP_CA" (printf "/etc/ogrewatch/amqp-ca/%s" $v.amqp.caSecret.key) -}}{{- end -}}
{{- end -}}
{{- $own := dict -}}
{{- if hasKey $v $role -}}{{- $own = default dict (index $v $role "settings") -}}{{- end -}}
{{- toYaml (merge (dict) $own $v.settings $s) -}}
{{- end -}}

{{/* Names of Secrets by the folder that they are mounted in, as YAML: list root role */}}
{{- define "ogrewatch.secrets" -}}
{{- $v := (index . 0).Values -}}{{- $role := index . 1 -}}
{{- $found := dict -}}
{{- if and (hasPrefix "SASL" $v.kafka.protocol) $v.kafka.passwordSecret.name -}}{{- $_ := set $found "kafka-password" $v.kafka.passwordSecret.name -}}{{- end -}}
{{- with $v.kafka.caSecret.name -}}{{- $_ := set $found "kafka-ca" . -}}{{- end -}}
{{- with $v.kafka.clientCertificateSecret.name -}}{{- $_ := set $found "kafka-certificate" . -}}{{- end -}}
{{- if $v.elasticsearch.apiKeySecret.name -}}{{- $_ := set $found "elasticsearch-api-key" $v.elasticsearch.apiKeySecret.name -}}
{{- else if $v.elasticsearch.passwordSecret.name -}}{{- $_ := set $found "elasticsearch-password" $v.elasticsearch.passwordSecret.name -}}{{- end -}}
{{- with $v.elasticsearch.caSecret.name -}}{{- $_ := set $found "elasticsearch-ca" . -}}{{- end -}}
{{- if has $role (list "count" "web" "ingest") -}}{{- $_ := set $found "auth" $v.auth.secretName -}}{{- end -}}
{{- if eq $role "ingest" -}}{{- with $v.ingest.tls.secretName -}}{{- $_ := set $found "ingest-tls" . -}}{{- end -}}{{- end -}}
{{- if eq $role "amqp" -}}
{{- with $v.amqp.passwordSecret.name -}}{{- $_ := set $found "amqp-password" . -}}{{- end -}}
{{- with $v.amqp.caSecret.name -}}{{- $_ := set $found "amqp-ca" . -}}{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{/* Annotations of a pod: the checksum of its Secrets, where they can be read. list root role */}}
{{- define "ogrewatch.checksum" -}}
{{- $root := index . 0 -}}
{{- if $root.Values.restartOnSecretChange -}}
{{- $all := list -}}
{{- range $_, $name := include "ogrewatch.secrets" . | fromYaml -}}
{{- $secret := lookup "v1" "Secret" $root.Release.Namespace $name -}}
{{- if $secret -}}{{- $all = append $all ($secret.data | toJson) -}}{{- end -}}
{{- end -}}
{{- with $all }}checksum/secrets: {{ . | toJson | sha256sum }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* The part of a pod's spec that every pod has. dict root role args ports probes resources */}}
{{- define "ogrewatch.podSpec" -}}
{{- $root := .root -}}{{- $role := .role -}}
{{- $pod := default dict .pod -}}
{{- $preStop := include "ogrewatch.preStop" $role | int -}}
enableServiceLinks: false
automountServiceAccountToken: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
terminationGracePeriodSeconds: {{ add $root.Values.grace $preStop 15 }}
{{- with $pod.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $pod.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pod.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pod.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: {{ $role }}
    image: {{ include "ogrewatch.image" $root }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    command: [ogrewatch]
    args: {{ toJson .args }}
    env:
    {{- range $name, $value := include "ogrewatch.settings" (list $root $role) | fromYaml }}
      - name: {{ $name }}
        value: {{ include "ogrewatch.text" $value | quote }}
    {{- end }}
    {{- if eq $role "count" }}
      - name: OGREWATCH_COUNT_ADVERTISE
        valueFrom: {fieldRef: {fieldPath: status.podIP}}
    {{- end }}
      - name: HOME
        value: /tmp
    {{- with .ports }}
    ports:
    {{- range $name, $port := . }}
      - {name: {{ $name }}, containerPort: {{ $port }}, protocol: TCP}
    {{- end }}
    startupProbe:
      httpGet: {path: /livez, port: metrics}
      periodSeconds: 2
      timeoutSeconds: 5
      failureThreshold: 60
    livenessProbe:
      httpGet: {path: /livez, port: metrics}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 3
    readinessProbe:
      httpGet: {path: /readyz, port: metrics}
      periodSeconds: 5
      timeoutSeconds: 5
      failureThreshold: 2
    {{- end }}
    {{- if $preStop }}
    lifecycle:
      preStop:
        sleep: {seconds: {{ $preStop }}}
    {{- end }}
    resources: {{- toYaml .resources | nindent 6 }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
    volumeMounts:
      - {name: data, mountPath: /var/lib/ogrewatch}
      - {name: tmp, mountPath: /tmp}
    {{- range $folder, $_ := include "ogrewatch.secrets" (list $root $role) | fromYaml }}
      - {name: {{ $folder }}, mountPath: /etc/ogrewatch/{{ $folder }}, readOnly: true}
    {{- end }}
    {{- if and (eq $role "detect") $root.Values.detect.rulesConfigMap }}
      - {name: rules, mountPath: /etc/ogrewatch/rules, readOnly: true}
    {{- end }}
volumes:
  - {name: data, emptyDir: {}}
  - {name: tmp, emptyDir: {}}
{{- range $folder, $name := include "ogrewatch.secrets" (list $root $role) | fromYaml }}
  - {name: {{ $folder }}, secret: {secretName: {{ $name }}, defaultMode: 0440}}
{{- end }}
{{- if and (eq $role "detect") $root.Values.detect.rulesConfigMap }}
  - {name: rules, configMap: {name: {{ $root.Values.detect.rulesConfigMap }}}}
{{- end }}
{{- end -}}
