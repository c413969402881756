"""Change points: offline segmentations (PELT, binary), online alarms (CUSUM, BOCPD), and how both are scored."""
