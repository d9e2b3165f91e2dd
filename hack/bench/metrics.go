package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// metrics are what a program counts of itself.
type metrics map[string]*dto.MetricFamily

func scrape(ctx context.Context, url string) (metrics, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", url, response.Status)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(response.Body)
}

// by adds up a metric by some of its labels.
func (m metrics) by(name string, labels ...string) counts {
	sums := counts{}
	for _, metric := range m[name].GetMetric() {
		found := make([]string, len(labels))
		for _, pair := range metric.GetLabel() {
			if i := slices.Index(labels, pair.GetName()); i >= 0 {
				found[i] = pair.GetValue()
			}
		}
		sums[strings.Join(found, ", ")] += int(metric.GetCounter().GetValue() + metric.GetGauge().GetValue())
	}
	return sums
}

// value is that of a metric without labels.
func (m metrics) value(name string) float64 {
	for _, metric := range m[name].GetMetric() {
		return metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
	}
	return 0
}
