"""How far a regime may be believed: factors, calibration on the past, conformal sets, the forecast of its end."""
