// pass: canonicalize
func.func @fires(%x: tensor<2x3x5x7xf32>) -> (tensor<2x3x1x1xf32>, tensor<2x1x5x7xf32>) {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %a = "stablehlo.reduce_window"(%x, %z) ({
  ^bb0(%p: tensor<f32>, %q: tensor<f32>):
    %s = stablehlo.maximum %p, %q : tensor<f32>
    stablehlo.return %s : tensor<f32>
  }) {window_dimensions = array<i64: 1, 1, 5, 7>, window_strides = array<i64: 1, 1, 5, 7>} : (tensor<2x3x5x7xf32>, tensor<f32>) -> tensor<2x3x1x1xf32>
  %b = "stablehlo.reduce_window"(%x, %z) ({
  ^bb0(%p: tensor<f32>, %q: tensor<f32>):
    %s = stablehlo.add %p, %q : tensor<f32>
    stablehlo.return %s : tensor<f32>
  }) {window_dimensions = array<i64: 1, 3, 1, 1>} : (tensor<2x3x5x7xf32>, tensor<f32>) -> tensor<2x1x5x7xf32>
  return %a, %b : tensor<2x3x1x1xf32>, tensor<2x1x5x7xf32>
}
func.func @stays(%x: tensor<2x3x5x7xf32>) -> (tensor<2x3x1x3xf32>, tensor<2x3x1x1xf32>) {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %a = "stablehlo.reduce_window"(%x, %z) ({
  ^bb0(%p: tensor<f32>, %q: tensor<f32>):
    %s = stablehlo.maximum %p, %q : tensor<f32>
    stablehlo.return %s : tensor<f32>
  }) {window_dimensions = array<i64: 1, 1, 5, 5>} : (tensor<2x3x5x7xf32>, tensor<f32>) -> tensor<2x3x1x3xf32>
  %b = "stablehlo.reduce_window"(%x, %z) ({
  ^bb0(%p: tensor<f32>, %q: tensor<f32>):
    %s = stablehlo.maximum %p, %q : tensor<f32>
    stablehlo.return %s : tensor<f32>
  }) {window_dimensions = array<i64: 1, 1, 5, 7>, window_strides = array<i64: 1, 1, 5, 7>, padding = dense<[[0, 0], [0, 0], [1, 0], [0, 0]]> : tensor<4x2xi64>} : (tensor<2x3x5x7xf32>, tensor<f32>) -> tensor<2x3x1x1xf32>
  return %a, %b : tensor<2x3x1x3xf32>, tensor<2x3x1x1xf32>
}
