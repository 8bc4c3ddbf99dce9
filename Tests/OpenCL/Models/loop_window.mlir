// Padding, and folds of windows that leave the operand.
func.func @main(%x: tensor<5x9xf32>) -> tensor<7x5xf32> {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.pad %x, %z, low = [1, -1], high = [2, 1], interior = [0, 0] : (tensor<5x9xf32>, tensor<f32>) -> tensor<8x9xf32>
  %1 = "stablehlo.reduce_window"(%0, %z) <{padding = dense<[[0, 0], [1, 1]]> : tensor<2x2xi64>, window_dimensions = array<i64: 2, 3>, window_strides = array<i64: 1, 2>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %2 = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %2 : tensor<f32>
  }) : (tensor<8x9xf32>, tensor<f32>) -> tensor<7x5xf32>
  return %1 : tensor<7x5xf32>
}
