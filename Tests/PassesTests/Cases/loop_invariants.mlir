// pass: canonicalize
func.func @constants_are_taken_apart_once(%x: tensor<2x3xf32>, %n: tensor<i32>) -> tensor<2x3xf32> {
  %w = stablehlo.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0], [10.0, 11.0, 12.0]]> : tensor<4x3xf32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %0:3 = stablehlo.while(%i = %zero, %v = %x, %u = %w) : tensor<i32>, tensor<2x3xf32>, tensor<4x3xf32>
  cond {
    %c = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %one = stablehlo.constant dense<1> : tensor<i32>
    %next = stablehlo.add %i, %one : tensor<i32>
    %s = stablehlo.slice %u [1:4, 0:3] : (tensor<4x3xf32>) -> tensor<3x3xf32>
    %p = stablehlo.dot_general %v, %s, contracting_dims = [1] x [1] : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
    stablehlo.return %next, %p, %u : tensor<i32>, tensor<2x3xf32>, tensor<4x3xf32>
  }
  return %0#1 : tensor<2x3xf32>
}
func.func @products_of_captures_go_before(%x: tensor<2x3xf32>, %a: tensor<3x3xf32>, %b: tensor<3x3xf32>, %n: tensor<i32>) -> tensor<2x3xf32> {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %0:2 = stablehlo.while(%i = %zero, %v = %x) : tensor<i32>, tensor<2x3xf32>
  cond {
    %c = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %one = stablehlo.constant dense<1> : tensor<i32>
    %next = stablehlo.add %i, %one : tensor<i32>
    %m = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0] : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
    %t = stablehlo.tanh %m : tensor<3x3xf32>
    %p = stablehlo.dot_general %v, %t, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
    stablehlo.return %next, %p : tensor<i32>, tensor<2x3xf32>
  }
  return %0#1 : tensor<2x3xf32>
}
func.func @stays(%x: tensor<2x3xf32>, %a: tensor<3xf32>, %b: tensor<4x3xf32>, %n: tensor<i32>) -> tensor<2x3xf32> {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %0:2 = stablehlo.while(%i = %zero, %v = %x) : tensor<i32>, tensor<2x3xf32>
  cond {
    %c = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %one = stablehlo.constant dense<1> : tensor<i32>
    %next = stablehlo.add %i, %one : tensor<i32>
    %s = stablehlo.slice %b [1:3, 0:3] : (tensor<4x3xf32>) -> tensor<2x3xf32>
    %t = stablehlo.tanh %a : tensor<3xf32>
    %w = stablehlo.broadcast_in_dim %t, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
    %d = stablehlo.add %v, %s : tensor<2x3xf32>
    %p = stablehlo.multiply %d, %w : tensor<2x3xf32>
    stablehlo.return %next, %p : tensor<i32>, tensor<2x3xf32>
  }
  return %0#1 : tensor<2x3xf32>
}
// expect:
func.func public @constants_are_taken_apart_once(%x: tensor<2x3xf32>, %n: tensor<i32>) -> (tensor<2x3xf32>) {
  %0 = stablehlo.constant dense<0> : tensor<i32>
  %1 = stablehlo.constant dense<[[4.0, 5.0, 6.0], [7.0, 8.0, 9.0], [10.0, 11.0, 12.0]]> : tensor<3x3xf32>
  %2:2 = stablehlo.while(%arg2 = %0, %arg3 = %x) : tensor<i32>, tensor<2x3xf32> cond {
    %3 = stablehlo.compare LT, %arg2, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %3 : tensor<i1>
  } do {
    %4 = stablehlo.constant dense<1> : tensor<i32>
    %5 = stablehlo.add %arg2, %4 : tensor<i32>
    %6 = stablehlo.dot_general %arg3, %1, contracting_dims = [1] x [1] : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
    stablehlo.return %5, %6 : tensor<i32>, tensor<2x3xf32>
  }
  return %2#1 : tensor<2x3xf32>
}
func.func public @products_of_captures_go_before(%x: tensor<2x3xf32>, %a: tensor<3x3xf32>, %b: tensor<3x3xf32>, %n: tensor<i32>) -> (tensor<2x3xf32>) {
  %0 = stablehlo.constant dense<0> : tensor<i32>
  %1 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0] : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  %2 = stablehlo.tanh %1 : tensor<3x3xf32>
  %3:2 = stablehlo.while(%arg4 = %0, %arg5 = %x) : tensor<i32>, tensor<2x3xf32> cond {
    %4 = stablehlo.compare LT, %arg4, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %4 : tensor<i1>
  } do {
    %5 = stablehlo.constant dense<1> : tensor<i32>
    %6 = stablehlo.add %arg4, %5 : tensor<i32>
    %7 = stablehlo.dot_general %arg5, %2, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
    stablehlo.return %6, %7 : tensor<i32>, tensor<2x3xf32>
  }
  return %3#1 : tensor<2x3xf32>
}
func.func public @stays(%x: tensor<2x3xf32>, %a: tensor<3xf32>, %b: tensor<4x3xf32>, %n: tensor<i32>) -> (tensor<2x3xf32>) {
  %0 = stablehlo.constant dense<0> : tensor<i32>
  %1:2 = stablehlo.while(%arg4 = %0, %arg5 = %x) : tensor<i32>, tensor<2x3xf32> cond {
    %2 = stablehlo.compare LT, %arg4, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %2 : tensor<i1>
  } do {
    %3 = stablehlo.constant dense<1> : tensor<i32>
    %4 = stablehlo.add %arg4, %3 : tensor<i32>
    %5 = stablehlo.slice %b [1:3, 0:3] : (tensor<4x3xf32>) -> tensor<2x3xf32>
    %6 = stablehlo.tanh %a : tensor<3xf32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
    %8 = stablehlo.add %arg5, %5 : tensor<2x3xf32>
    %9 = stablehlo.multiply %8, %7 : tensor<2x3xf32>
    stablehlo.return %4, %9 : tensor<i32>, tensor<2x3xf32>
  }
  return %1#1 : tensor<2x3xf32>
}
