// The gradient of a pooling whose windows overlap.
// kernels: kernel select_and_scatter
func.func @main(%x: tensor<1x7x6x2xf32>, %u: tensor<1x3x5x2xf32>) -> tensor<1x7x6x2xf32> {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = "stablehlo.select_and_scatter"(%x, %u, %z) <{padding = dense<0> : tensor<4x2xi64>, window_dimensions = array<i64: 1, 3, 2, 1>, window_strides = array<i64: 1, 2, 1, 1>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %1 = stablehlo.compare GE, %a, %b, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %1 : tensor<i1>
  }, {
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %1 = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }) : (tensor<1x7x6x2xf32>, tensor<1x3x5x2xf32>, tensor<f32>) -> tensor<1x7x6x2xf32>
  return %0 : tensor<1x7x6x2xf32>
}
