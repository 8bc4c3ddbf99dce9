// Two dimensions are folded, one is kept inside and one between.
func.func @main(%x: tensor<9x3x11x4xf32>) -> tensor<3x4xf32> {
  %low = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %a = stablehlo.reduce(%x init: %low) applies stablehlo.maximum across dimensions = [0, 2] : (tensor<9x3x11x4xf32>, tensor<f32>) -> tensor<3x4xf32>
  return %a : tensor<3x4xf32>
}
