// Numbers of two types are folded in one kernel.
func.func @main(%x: tensor<4x90xf64>, %y: tensor<4x90xf32>) -> (tensor<4xf64>, tensor<4xf32>) {
  %z = stablehlo.constant dense<0.0> : tensor<f64>
  %w = stablehlo.constant dense<0.0> : tensor<f32>
  %a = stablehlo.reduce(%x init: %z) applies stablehlo.add across dimensions = [1] : (tensor<4x90xf64>, tensor<f64>) -> tensor<4xf64>
  %b = stablehlo.reduce(%y init: %w) applies stablehlo.add across dimensions = [1] : (tensor<4x90xf32>, tensor<f32>) -> tensor<4xf32>
  return %a, %b : tensor<4xf64>, tensor<4xf32>
}
