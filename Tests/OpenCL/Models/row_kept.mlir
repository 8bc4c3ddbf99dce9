// What an item has of a row stays in its registers; the last places are masked.
// kernels: kernel .* of 256 items
func.func @main(%x: tensor<5x150xf32>) -> tensor<5x150xf32> {
  %low = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %m = stablehlo.reduce(%x init: %low) applies stablehlo.maximum across dimensions = [1] : (tensor<5x150xf32>, tensor<f32>) -> tensor<5xf32>
  %mb = stablehlo.broadcast_in_dim %m, dims = [0] : (tensor<5xf32>) -> tensor<5x150xf32>
  %s = stablehlo.subtract %x, %mb : tensor<5x150xf32>
  %e = stablehlo.exponential %s : tensor<5x150xf32>
  %t = stablehlo.reduce(%e init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<5x150xf32>, tensor<f32>) -> tensor<5xf32>
  %tb = stablehlo.broadcast_in_dim %t, dims = [0] : (tensor<5xf32>) -> tensor<5x150xf32>
  %p = stablehlo.divide %e, %tb : tensor<5x150xf32>
  return %p : tensor<5x150xf32>
}
