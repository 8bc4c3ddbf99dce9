// Attention of narrow floats.
func.func @main(%q: tensor<1x3x5xf16>, %k: tensor<1x33x5xf16>, %v: tensor<1x33x6xf16>) -> tensor<1x3x6xf16> {
  %low = stablehlo.constant dense<0xFC00> : tensor<f16>
  %zero = stablehlo.constant dense<0.0> : tensor<f16>
  %c = stablehlo.constant dense<0.25> : tensor<1x3x33xf16>
  %0 = stablehlo.dot_general %q, %k, batching_dims = [0] x [0], contracting_dims = [2] x [2] : (tensor<1x3x5xf16>, tensor<1x33x5xf16>) -> tensor<1x3x33xf16>
  %1 = stablehlo.multiply %0, %c : tensor<1x3x33xf16>
  %xm = stablehlo.reduce(%1 init: %low) applies stablehlo.maximum across dimensions = [2] : (tensor<1x3x33xf16>, tensor<f16>) -> tensor<1x3xf16>
  %xmb = stablehlo.broadcast_in_dim %xm, dims = [0, 1] : (tensor<1x3xf16>) -> tensor<1x3x33xf16>
  %xs = stablehlo.subtract %1, %xmb : tensor<1x3x33xf16>
  %xe = stablehlo.exponential %xs : tensor<1x3x33xf16>
  %xt = stablehlo.reduce(%xe init: %zero) applies stablehlo.add across dimensions = [2] : (tensor<1x3x33xf16>, tensor<f16>) -> tensor<1x3xf16>
  %xtb = stablehlo.broadcast_in_dim %xt, dims = [0, 1] : (tensor<1x3xf16>) -> tensor<1x3x33xf16>
  %xp = stablehlo.divide %xe, %xtb : tensor<1x3x33xf16>
  %2 = stablehlo.dot_general %xp, %v, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<1x3x33xf16>, tensor<1x33x6xf16>) -> tensor<1x3x6xf16>
  return %2 : tensor<1x3x6xf16>
}
