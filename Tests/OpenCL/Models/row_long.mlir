// A row that is read again for each step.
// kernels: for i[0-9]+ in
func.func @main(%x: tensor<2x2500xf32>) -> tensor<2x2500xf32> {
  %low = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %m = stablehlo.reduce(%x init: %low) applies stablehlo.maximum across dimensions = [1] : (tensor<2x2500xf32>, tensor<f32>) -> tensor<2xf32>
  %mb = stablehlo.broadcast_in_dim %m, dims = [0] : (tensor<2xf32>) -> tensor<2x2500xf32>
  %s = stablehlo.subtract %x, %mb : tensor<2x2500xf32>
  %e = stablehlo.exponential %s : tensor<2x2500xf32>
  %t = stablehlo.reduce(%e init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<2x2500xf32>, tensor<f32>) -> tensor<2xf32>
  %tb = stablehlo.broadcast_in_dim %t, dims = [0] : (tensor<2xf32>) -> tensor<2x2500xf32>
  %p = stablehlo.divide %e, %tb : tensor<2x2500xf32>
  return %p : tensor<2x2500xf32>
}
