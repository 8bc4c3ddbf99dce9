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
// expect:
func.func public @fires(%x: tensor<2x3x5x7xf32>) -> (tensor<2x3x1x1xf32>, tensor<2x1x5x7xf32>) {
  %0 = stablehlo.constant dense<0.0> : tensor<f32>
  %1 = stablehlo.reduce(%x init: %0) applies stablehlo.maximum across dimensions = [2, 3] : (tensor<2x3x5x7xf32>, tensor<f32>) -> tensor<2x3xf32>
  %3 = stablehlo.reshape %1 : (tensor<2x3xf32>) -> tensor<2x3x1x1xf32>
  %4 = stablehlo.reduce(%x init: %0) applies stablehlo.add across dimensions = [1] : (tensor<2x3x5x7xf32>, tensor<f32>) -> tensor<2x5x7xf32>
  %6 = stablehlo.reshape %4 : (tensor<2x5x7xf32>) -> tensor<2x1x5x7xf32>
  return %3, %6 : tensor<2x3x1x1xf32>, tensor<2x1x5x7xf32>
}
func.func public @stays(%x: tensor<2x3x5x7xf32>) -> (tensor<2x3x1x3xf32>, tensor<2x3x1x1xf32>) {
  %0 = stablehlo.constant dense<0.0> : tensor<f32>
  %1 = "stablehlo.reduce_window"(%x, %0) <{window_dimensions = array<i64: 1, 1, 5, 5>, window_strides = array<i64: 1, 1, 1, 1>, base_dilations = array<i64: 1, 1, 1, 1>, window_dilations = array<i64: 1, 1, 1, 1>, padding = dense<[[0, 0], [0, 0], [0, 0], [0, 0]]> : tensor<4x2xi64>}> ({
  ^bb0(%arg1: tensor<f32>, %arg2: tensor<f32>):
    %2 = stablehlo.maximum %arg1, %arg2 : tensor<f32>
    stablehlo.return %2 : tensor<f32>
  }) : (tensor<2x3x5x7xf32>, tensor<f32>) -> tensor<2x3x1x3xf32>
  %3 = "stablehlo.reduce_window"(%x, %0) <{window_dimensions = array<i64: 1, 1, 5, 7>, window_strides = array<i64: 1, 1, 5, 7>, base_dilations = array<i64: 1, 1, 1, 1>, window_dilations = array<i64: 1, 1, 1, 1>, padding = dense<[[0, 0], [0, 0], [1, 0], [0, 0]]> : tensor<4x2xi64>}> ({
  ^bb0(%arg3: tensor<f32>, %arg4: tensor<f32>):
    %4 = stablehlo.maximum %arg3, %arg4 : tensor<f32>
    stablehlo.return %4 : tensor<f32>
  }) : (tensor<2x3x5x7xf32>, tensor<f32>) -> tensor<2x3x1x1xf32>
  return %1, %3 : tensor<2x3x1x3xf32>, tensor<2x3x1x1xf32>
}
