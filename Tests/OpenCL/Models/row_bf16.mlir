// Narrow floats are folded in f32.
func.func @main(%x: tensor<3x68xbf16>) -> tensor<3x68xbf16> {
  %low = stablehlo.constant dense<0xFF80> : tensor<bf16>
  %zero = stablehlo.constant dense<0.0> : tensor<bf16>
  %m = stablehlo.reduce(%x init: %low) applies stablehlo.maximum across dimensions = [1] : (tensor<3x68xbf16>, tensor<bf16>) -> tensor<3xbf16>
  %mb = stablehlo.broadcast_in_dim %m, dims = [0] : (tensor<3xbf16>) -> tensor<3x68xbf16>
  %s = stablehlo.subtract %x, %mb : tensor<3x68xbf16>
  %e = stablehlo.exponential %s : tensor<3x68xbf16>
  %t = stablehlo.reduce(%e init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<3x68xbf16>, tensor<bf16>) -> tensor<3xbf16>
  %tb = stablehlo.broadcast_in_dim %t, dims = [0] : (tensor<3xbf16>) -> tensor<3x68xbf16>
  %p = stablehlo.divide %e, %tb : tensor<3x68xbf16>
  return %p : tensor<3x68xbf16>
}
